// parse URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
// Its types fail where a field has another one: pictures are maps of strings.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

type document struct {
	File     string `json:"file"`
	FileType int    `json:"fileType"`
}

type page struct {
	PrunedResult map[string]interface{} `json:"prunedResult"`
	Markdown     struct {
		Text   string            `json:"text"`
		Images map[string]string `json:"images"`
	} `json:"markdown"`
	OutputImages map[string]string `json:"outputImages"`
	InputImage   *string           `json:"inputImage"`
}

type answer struct {
	Result struct {
		LayoutParsingResults []page      `json:"layoutParsingResults"`
		DataInfo             interface{} `json:"dataInfo"`
	} `json:"result"`
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func write(content []byte, path ...string) {
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		log.Fatal(err)
	}
}

func main() {
	url, file, folder := os.Args[1], os.Args[2], os.Args[4]
	body := must(json.Marshal(document{
		File:     base64.StdEncoding.EncodeToString(must(os.ReadFile(file))),
		FileType: must(strconv.Atoi(os.Args[3])),
	}))
	response := must(http.Post(url+"/layout-parsing", "application/json", bytes.NewReader(body)))
	defer response.Body.Close()
	content := must(io.ReadAll(response.Body))
	if response.StatusCode != http.StatusOK {
		log.Fatal(string(content))
	}
	var parsed answer
	if err := json.Unmarshal(content, &parsed); err != nil {
		log.Fatal(err)
	}
	for number, page := range parsed.Result.LayoutParsingResults {
		fmt.Println(string(must(json.Marshal(page.PrunedResult))))
		write([]byte(page.Markdown.Text), folder, fmt.Sprintf("page-%d.md", number))
		for name, encoded := range page.Markdown.Images {
			write(must(base64.StdEncoding.DecodeString(encoded)), folder, name)
		}
		for name, encoded := range page.OutputImages {
			write(must(base64.StdEncoding.DecodeString(encoded)), folder, fmt.Sprintf("%s-%d.jpg", name, number))
		}
	}
}
