// parse URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
#include <httplib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace fs = std::filesystem;

const std::string ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(const std::string& bytes) {
    std::string encoded;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        for (std::size_t i = at; i < at + 3; ++i)
            group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0);
        for (int shift = 18; shift >= 0; shift -= 6) encoded += ALPHABET[group >> shift & 63];
    }
    const std::size_t padding = (3 - bytes.size() % 3) % 3;
    return encoded.replace(encoded.size() - padding, padding, padding, '=');
}

// As strict as the libraries are: padded, no line breaks, no `data:` before it.
std::string from_base64(const std::string& encoded) {
    const std::size_t length = std::min(encoded.size(), encoded.find_last_not_of('=') + 1);
    if (encoded.size() % 4 != 0 || encoded.size() - length > 2) throw std::runtime_error("base64 of a wrong length");
    std::string bytes;
    std::uint32_t group = 0;
    int bits = 0;
    for (std::size_t i = 0; i < length; ++i) {
        const std::size_t value = ALPHABET.find(encoded[i]);
        if (value == std::string::npos) throw std::runtime_error("not a character of base64");
        group = group << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits >= 8) bytes += static_cast<char>(group >> (bits -= 8) & 255);
    }
    return bytes;
}

void write(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    if (!file.write(content.data(), static_cast<std::streamsize>(content.size()))) throw std::runtime_error(path);
}

int main(int, char** arguments) {
    const std::string url = arguments[1];
    const fs::path folder = arguments[4];
    std::ifstream file(arguments[2], std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};

    httplib::Client client(url);
    client.set_read_timeout(120);  // 5 seconds by default: too few for a document on a busy machine
    const nlohmann::json request = {{"file", to_base64(content)}, {"fileType", std::stoi(arguments[3])}};
    const auto response = client.Post("/layout-parsing", request.dump(), "application/json");
    if (!response) throw std::runtime_error(httplib::to_string(response.error()));
    if (response->status != 200) throw std::runtime_error(response->body);

    const auto answer = nlohmann::json::parse(response->body);
    int number = 0;
    for (const auto& page : answer.at("result").at("layoutParsingResults")) {
        std::cout << page.at("prunedResult").dump() << '\n';
        const auto& markdown = page.at("markdown");
        write(folder / ("page-" + std::to_string(number) + ".md"), markdown.at("text").get<std::string>());
        for (const auto& [name, encoded] : markdown.at("images").items())
            write(folder / name, from_base64(encoded.get<std::string>()));
        for (const auto& [name, encoded] : page.at("outputImages").items())
            write(folder / (name + "-" + std::to_string(number) + ".jpg"), from_base64(encoded.get<std::string>()));
        ++number;
    }
}
