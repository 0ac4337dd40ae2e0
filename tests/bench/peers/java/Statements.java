import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Statements from standard input, one a line, each timed here: {@code time SQL} is answered by its
 * nanoseconds, {@code rows SQL} by a JSON array of its rows.
 */
final class Statements {
    /** Runs one statement to its last row. */
    interface Peer<R> {
        R run(String sql) throws Exception;

        String json(R rows) throws Exception;
    }

    private Statements() {
    }

    static <R> void serve(Peer<R> peer, PrintStream out) throws Exception {
        BufferedReader in = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int space = line.indexOf(' ');
            String sql = line.substring(space + 1);
            long begin = System.nanoTime();
            R rows = peer.run(sql);
            long spent = System.nanoTime() - begin;
            out.println(line.startsWith("rows ") ? peer.json(rows) : Long.toString(spent));
            out.flush();
        }
    }
}
