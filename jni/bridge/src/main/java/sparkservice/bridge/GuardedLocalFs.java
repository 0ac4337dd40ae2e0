package sparkservice.bridge;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.DelegateToFileSystem;

/** The same guard for Hadoop's other door to local files, FileContext. */
public final class GuardedLocalFs extends DelegateToFileSystem {
    public GuardedLocalFs(URI uri, Configuration conf) throws IOException, URISyntaxException {
        super(uri, new GuardedLocalFileSystem(), conf, "file", false);
    }
}
