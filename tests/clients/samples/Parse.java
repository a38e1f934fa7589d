import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** java Parse.java URL FILE: the JDK's own client with its defaults, which offer HTTP/2. Prints status and body. */
public class Parse {
    public static void main(String[] arguments) throws Exception {
        String file = Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(arguments[1])));
        HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0] + "/layout-parsing"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"file\":\"" + file + "\",\"visualize\":false}"))
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode());
        System.out.println(answer.body());
    }
}
