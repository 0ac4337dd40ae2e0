package sparkservice.bridge;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.LocalFileSystem;

/** The schemes that no data root can have: a table's metadata may still name them. */
public final class RefusedFileSystem extends LocalFileSystem {
    @Override
    public void initialize(URI name, Configuration conf) throws IOException {
        throw new RootGuard.OutsideRootsException();
    }
}
