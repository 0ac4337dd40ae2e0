package sparkservice.bridge;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A list of the fence, from resources/…/fence: one name a line, then the Spark line that alone has
 * it, then marks; {@code #} begins a comment. In the list of functions the name follows a sign:
 * {@code +} allowed, {@code -} refused.
 */
final class FenceList {
    /** @param line the one Spark line that has it, or "" */
    record Entry(String name, String line, Set<String> marks) {
        boolean isOfThisLine() {
            return line.isEmpty() || line.equals(SparkLine.LINE);
        }

        boolean has(String mark) {
            return marks.contains(mark);
        }
    }

    private static final Set<String> LINES = Set.of("4.1", "3.5");

    private FenceList() {
    }

    static List<Entry> read(String file) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                FenceList.class.getResourceAsStream("fence/" + file), StandardCharsets.UTF_8))) {
            return lines.lines().map(line -> line.replaceFirst("(^|\\s)#.*", "").strip())
                    .filter(line -> !line.isEmpty()).map(FenceList::entry).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Names that this Spark line has, of the entries that hold to {@code which}. */
    static Set<String> names(List<Entry> entries, Predicate<Entry> which) {
        return entries.stream().filter(entry -> entry.isOfThisLine() && which.test(entry))
                .map(Entry::name).collect(Collectors.toUnmodifiableSet());
    }

    private static Entry entry(String text) {
        List<String> words = new ArrayList<>(List.of(text.split(" +")));
        Set<String> marks = Set.of();
        if (words.get(0).equals("+") || words.get(0).equals("-")) {
            marks = Set.of(words.remove(0));
        }
        String name = words.remove(0);
        String line = "";
        if (!words.isEmpty() && LINES.contains(words.get(0))) {
            line = words.remove(0);
        }
        return new Entry(name, line, words.isEmpty() ? marks : Set.copyOf(words));
    }
}
