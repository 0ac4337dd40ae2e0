package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.apache.hadoop.security.UserGroupInformation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Hadoop asks nobody in which groups we are: by default it starts a process for that. */
class GroupsTest {
    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    @Test
    void nobodyIsAsked() throws Exception {
        assertArrayEquals(new String[0], UserGroupInformation.getCurrentUser().getGroupNames());
    }
}
