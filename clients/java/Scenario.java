import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tenantbridge.ApiClient;
import tenantbridge.ApiException;
import tenantbridge.api.ConnectionsApi;
import tenantbridge.model.Connection;
import tenantbridge.model.CreateConnection;
import tenantbridge.model.CreateEventHub;
import tenantbridge.model.CreateSource;
import tenantbridge.model.CreateTarget;
import tenantbridge.model.Problem;

/**
 * The main jobs with a generated Java client, against a sandbox: create, list, remove. The environment says where and with what; each
 * step prints {@code ok} or {@code not ok}, and the last line counts them.
 */
public final class Scenario {
    private interface Step {
        void run() throws Exception;
    }

    private static int passed;
    private static int failed;
    private static UUID id;

    private static void step(String name, Step step) {
        try {
            step.run();
            passed++;
            System.out.println("ok - java: " + name);
        } catch (ApiException error) {
            failed++;
            System.out.println("not ok - java: " + name + "\n" + error.getResponseBody());
        } catch (Exception | AssertionError error) {
            failed++;
            System.out.println("not ok - java: " + name + "\n" + error);
        }
    }

    private static void equal(Object found, Object wanted) {
        if (!wanted.equals(found)) {
            throw new AssertionError(found + " is not " + wanted);
        }
    }

    private static String env(String name) {
        return System.getenv(name);
    }

    private static CreateConnection request(String name) {
        CreateTarget target = new CreateTarget().database(env("DATABASE")).table("Events")
            .mapping("EventsMapping").dataFormat("JSON");
        CreateEventHub hub = new CreateEventHub().resourceId(env("HUB")).consumerGroup("cg2");
        return new CreateConnection().name(name).target(target).source(new CreateSource().eventHub(hub));
    }

    public static void main(String[] arguments) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(env("SERVICE"));
        client.setRequestInterceptor(call -> call.header("Authorization", "Bearer " + env("ACTOR")));
        ConnectionsApi api = new ConnectionsApi(client);
        String auxiliary = "Bearer " + env("OTHER");

        step("creates, and waits in the same call", () -> {
            Connection made = api.createConnection(request("java-1"), "java-1", "wait=20", auxiliary);
            id = made.getId();
            equal(made.getState(), "active");
        });
        step("finds the same when it repeats itself", () ->
            equal(api.createConnection(request("java-1"), "java-1", null, auxiliary).getId(), id));
        step("lists", () -> {
            List<UUID> found = new ArrayList<>();
            api.listConnections(null, null, null, 200, null).getValue().forEach(connection -> found.add(connection.getId()));
            equal(found.contains(id), true);
        });
        step("is told which access is missing", () -> {
            try {
                api.createConnection(request("java-2"), null, null, null);
            } catch (ApiException error) {
                Problem problem = client.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
                equal(problem.getCode(), "accessMissing");
                equal(problem.getMissing().isEmpty(), false);
                return;
            }
            throw new AssertionError("was not rejected");
        });
        step("reads words and members of a later version", () -> {
            String text = client.getObjectMapper().writeValueAsString(api.getConnection(id, null));
            String later = text.replaceFirst("\"state\":\"active\"", "\"state\":\"later\",\"later\":true");
            equal(later.equals(text), false);
            equal(client.getObjectMapper().readValue(later, Connection.class).getState(), "later");
        });
        step("removes", () ->
            equal(api.removeConnection(id, null, "wait=20", null, null, null).getState(), "removed"));
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
