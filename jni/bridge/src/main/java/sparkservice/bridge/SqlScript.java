package sparkservice.bridge;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;

/**
 * Runs SQL with write rights, in a Spark of its own: sample data, and the outside writer of tests.
 *
 * <pre>
 * SqlScript --warehouse DIR [--set NAME=VALUE]... FILE...   runs the files; exit 1 at the first error
 * SqlScript --warehouse DIR [--set NAME=VALUE]... -         one statement a line from standard input,
 *                                                           answered by "ok" or "error MESSAGE"
 * </pre>
 *
 * {@code ${NAME}} in a statement is replaced by its --set value. Statements of a file end with
 * {@code ;} at the end of a line; {@code --} begins a comment line.
 */
public final class SqlScript {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)}");

    private final Map<String, String> variables = new HashMap<>();
    private final List<String> files = new ArrayList<>();
    private String warehouse;

    private SqlScript() {
    }

    public static void main(String[] args) throws Exception {
        SqlScript script = new SqlScript();
        script.readArguments(args);
        Path scratch = Files.createTempDirectory("sql-script-");
        SparkSession.Builder builder = SparkSession.builder().master("local[2]")
                .appName("sql-script");
        SessionSettings.ofWriter(script.warehouse, scratch.toString()).forEach(builder::config);
        SparkSession session = builder.getOrCreate();
        boolean ok;
        try {
            ok = script.run(session);
        } finally {
            session.stop();
            deleteTree(scratch);
        }
        System.exit(ok ? 0 : 1);
    }

    private void readArguments(String[] args) {
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--warehouse" -> warehouse = Path.of(args[++i]).toAbsolutePath().toString();
                case "--set" -> {
                    String[] pair = args[++i].split("=", 2);
                    variables.put(pair[0], pair[1]);
                }
                default -> files.add(args[i]);
            }
        }
        if (warehouse == null || files.isEmpty()) {
            System.err.println("usage: SqlScript --warehouse DIR [--set NAME=VALUE]... (FILE... | -)");
            System.exit(2);
        }
    }

    private boolean run(SparkSession session) throws IOException {
        if (files.equals(List.of("-"))) {
            answerLines(session);
            return true;
        }
        for (String file : files) {
            for (String statement : statements(Files.readString(Path.of(file)))) {
                try {
                    execute(session, statement);
                } catch (Exception e) {
                    System.err.println(file + ": " + e.getMessage());
                    return false;
                }
            }
        }
        return true;
    }

    private void answerLines(SparkSession session) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isBlank()) {
                continue;
            }
            try {
                execute(session, line);
                out.println("ok");
            } catch (Exception e) {
                out.println("error " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            }
        }
    }

    private void execute(SparkSession session, String statement) {
        Matcher matcher = VARIABLE.matcher(statement);
        String text = matcher.replaceAll(match -> {
            String value = variables.get(match.group(1));
            if (value == null) {
                throw new IllegalArgumentException("no --set for ${" + match.group(1) + "}");
            }
            return Matcher.quoteReplacement(value);
        });
        session.sql(text).collect();
    }

    private static List<String> statements(String text) {
        List<String> statements = new ArrayList<>();
        StringBuilder current = new StringBuilder();
        for (String line : text.lines().toList()) {
            if (line.stripLeading().startsWith("--")) {
                continue;
            }
            String stripped = line.stripTrailing();
            if (stripped.endsWith(";")) {
                current.append(stripped, 0, stripped.length() - 1);
                statements.add(current.toString());
                current.setLength(0);
            } else {
                current.append(line).append('\n');
            }
        }
        if (!current.toString().isBlank()) {
            statements.add(current.toString());
        }
        return statements;
    }

    private static void deleteTree(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
