<?php
// php parse.php URL FILE FILE_TYPE FOLDER: only `file` and `fileType` are sent; all that comes back is written.
// json_encode() writes the slashes of base64 as `\/`.

// PHP goes on after a warning, such as one of a folder that is not there.
set_error_handler(function (int $_, string $message): never {
    throw new RuntimeException($message);
});

[, $url, $file, $fileType, $folder] = $argv;

function decoded(string $encoded): string
{
    $bytes = base64_decode($encoded, true);
    return $bytes === false ? throw new RuntimeException('not base64') : $bytes;
}

$request = curl_init("$url/layout-parsing");
curl_setopt_array($request, [
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode(
        ['file' => base64_encode(file_get_contents($file)), 'fileType' => (int) $fileType]
    ),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
    CURLOPT_RETURNTRANSFER => true,
]);
$answer = curl_exec($request);
if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) !== 200) {
    throw new RuntimeException($answer === false ? curl_error($request) : $answer);
}
$result = json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['result'];
foreach ($result['layoutParsingResults'] as $number => $page) {
    echo json_encode($page['prunedResult'], JSON_THROW_ON_ERROR), "\n";
    file_put_contents("$folder/page-$number.md", $page['markdown']['text']);
    foreach ($page['markdown']['images'] as $name => $encoded) {
        if (!is_dir(dirname("$folder/$name"))) {
            mkdir(dirname("$folder/$name"), recursive: true);
        }
        file_put_contents("$folder/$name", decoded($encoded));
    }
    foreach ($page['outputImages'] as $name => $encoded) {
        file_put_contents("$folder/$name-$number.jpg", decoded($encoded));
    }
}
