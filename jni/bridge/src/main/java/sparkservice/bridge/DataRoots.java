package sparkservice.bridge;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The folders that callers may read: local ones and {@code s3a://bucket/prefix}.
 *
 * <p>Local paths are compared by component after all links are resolved, root and target alike. A
 * path that doesn't exist is judged by its nearest existing parent, so that the answer tells nothing
 * about files outside.
 */
final class DataRoots {
    /** Globs, escapes and what URL decoding could turn into another path. */
    private static final Pattern REFUSED = Pattern.compile("[\\x00-\\x1f\\x7f%*?\\[\\]{}\\\\]");
    private static final String S3A = "s3a://";

    private final List<Path> folders = new ArrayList<>();
    private final List<String> prefixes = new ArrayList<>();

    DataRoots(List<String> roots) {
        for (String root : roots) {
            if (root.startsWith(S3A)) {
                prefixes.add(withSlash(root));
            } else if (!root.isEmpty()) {
                folders.add(Path.of(root).toAbsolutePath().normalize());
            }
        }
    }

    static DataRoots parse(String commaSeparated) {
        return new DataRoots(List.of(commaSeparated.split(",")).stream().map(String::strip)
                .toList());
    }

    /** The checked location of a caller's path, in the form that Spark takes. */
    String resolve(String path) throws BridgeException {
        if (REFUSED.matcher(path).find() || List.of(path.split("/")).contains("..")) {
            throw BridgeException.forbidden(
                    "The path has a character or component that is not allowed.");
        }
        if (path.startsWith(S3A)) {
            if (!allowsObject(path)) {
                throw outside();
            }
            return path;
        }
        if (!path.startsWith("/") || path.startsWith("//")) {
            throw BridgeException.forbidden(
                    "The path must be absolute, below a data root, without another scheme.");
        }
        try {
            Path real = real(Path.of(path));
            if (!allowsReal(real)) {
                throw outside();
            }
            return real.toString();
        } catch (InvalidPathException | IOException e) {
            throw outside();
        }
    }

    /** Whether a location that a table names (its log, its metadata) is inside a root. */
    boolean allows(URI location) {
        String scheme = location.getScheme();
        if ("s3a".equals(scheme)) {
            return allowsObject(location.normalize().toString());
        }
        if (scheme != null && !"file".equals(scheme)) {
            return false;
        }
        try {
            return allowsReal(real(Path.of(location.getPath())));
        } catch (InvalidPathException | IOException e) {
            return false;
        }
    }

    /** The prefixes of a path, from the root on that it is in; what is above is the operator's. */
    List<Path> way(Path path) {
        int above = folders.stream().filter(path::startsWith).mapToInt(Path::getNameCount).max()
                .orElse(1);
        List<Path> way = new ArrayList<>();
        for (int end = above; end <= path.getNameCount(); end++) {
            way.add(path.getRoot().resolve(path.subpath(0, end)));
        }
        return way;
    }

    private boolean allowsObject(String object) {
        return prefixes.stream().anyMatch(prefix -> withSlash(object).startsWith(prefix));
    }

    /** Of a path that has no link in it. */
    boolean allowsReal(Path real) throws IOException {
        for (Path folder : folders) {
            if (real.startsWith(real(folder))) {
                return true;
            }
        }
        return false;
    }

    /** Links resolved as far as the path exists. */
    private static Path real(Path path) throws IOException {
        Path normal = path.toAbsolutePath().normalize();
        try {
            return normal.toRealPath();
        } catch (NoSuchFileException e) {
            Path parent = normal.getParent();
            if (parent == null || Files.isSymbolicLink(normal)) {
                throw e;
            }
            return real(parent).resolve(normal.getFileName());
        }
    }

    private static String withSlash(String text) {
        return text.endsWith("/") ? text : text + "/";
    }

    private static BridgeException outside() {
        return BridgeException.forbidden("The path is outside the data roots.");
    }
}
