package sparkservice.bridge;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A Spark in another process that writes tables; it lives as long as the tests. */
final class OutsideWriter {
    private static OutsideWriter instance;

    private final PrintStream statements;
    private final BufferedReader answers;

    private OutsideWriter() throws IOException {
        Process process = new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "@" + System.getProperty("jvm.options"), "-Xmx1g",
                "-cp", System.getProperty("java.class.path"),
                SqlScript.class.getName(), "--warehouse", TestEngine.WAREHOUSE.toString(),
                "--set", "root=" + TestEngine.ROOT, "--set", "home=" + TestEngine.HOME, "-")
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        statements = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        answers = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        expect("ready");
    }

    /** Runs each statement, with ${root} and ${home} replaced; fails when one fails. */
    static synchronized void write(String... sql) throws IOException {
        if (instance == null) {
            instance = new OutsideWriter();
        }
        for (String statement : sql) {
            instance.statements.println(statement.replace('\n', ' '));
            instance.expect("ok");
        }
    }

    private void expect(String answer) throws IOException {
        String line = answers.readLine();
        if (!answer.equals(line)) {
            throw new AssertionError("the outside writer said: " + line);
        }
    }
}
