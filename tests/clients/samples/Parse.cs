// mono parse.exe URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
// StringContent says `application/json; charset=utf-8`.
using System;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

static class Parse
{
    // mono's compiler knows no asynchronous Main.
    static void Main(string[] arguments)
    {
        Run(arguments).GetAwaiter().GetResult();
    }

    static async Task Run(string[] arguments)
    {
        string url = arguments[0], file = arguments[1], folder = arguments[3];
        var body = new JObject
        {
            ["file"] = Convert.ToBase64String(File.ReadAllBytes(file)),
            ["fileType"] = int.Parse(arguments[2]),
        };
        using (var client = new HttpClient())
        using (var content = new StringContent(body.ToString(), Encoding.UTF8, "application/json"))
        using (HttpResponseMessage answer = await client.PostAsync(url + "/layout-parsing", content))
        {
            string text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode != 200) throw new HttpRequestException(text);
            var pages = (JArray)JObject.Parse(text)["result"]["layoutParsingResults"];
            for (int number = 0; number < pages.Count; number++)
            {
                JToken page = pages[number];
                Console.WriteLine(page["prunedResult"].ToString(Formatting.None));
                File.WriteAllText(Path.Combine(folder, $"page-{number}.md"), (string)page["markdown"]["text"]);
                foreach (var picture in (JObject)page["markdown"]["images"])
                    Write(Path.Combine(folder, picture.Key), picture.Value);
                foreach (var picture in (JObject)page["outputImages"])
                    Write(Path.Combine(folder, $"{picture.Key}-{number}.jpg"), picture.Value);
            }
        }
    }

    static void Write(string path, JToken encoded)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path));
        File.WriteAllBytes(path, Convert.FromBase64String((string)encoded));
    }
}
