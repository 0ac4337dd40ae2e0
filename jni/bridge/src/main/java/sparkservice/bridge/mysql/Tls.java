package sparkservice.bridge.mysql;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * How a MySQL source wants TLS, from PEM files (RFC 7468), as the direct engine reads them.
 *
 * <p>Connector/J wants key stores; the JDK's own TLS takes the certificates as they are.
 *
 * @param mode as service/mysql_target.h names them
 * @param ca file of the certificates that may have signed the server's; or null
 * @param cert our own certificate; or null
 * @param key its PKCS #8 key; null when cert is
 */
public record Tls(String mode, String ca, String cert, String key) implements Serializable {
    private static final Pattern PRIVATE_KEY = Pattern.compile(
            "-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
    private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC", "Ed25519");
    private static final char[] NO_PASSWORD = {};

    /** What Connector/J has to ask of the server; who it is we check ourselves. */
    String driverMode() {
        return switch (mode) {
            case "disabled" -> "DISABLED";
            case "required", "verify_ca", "verify_identity" -> "REQUIRED";
            default -> "PREFERRED";
        };
    }

    /** False: any certificate will do, and we have none to show. */
    boolean checksOrShows() {
        return verifies() || cert != null;
    }

    private boolean verifies() {
        return mode.equals("verify_ca") || mode.equals("verify_identity");
    }

    /** TLS over a connected socket; throws when the server isn't who it should be. */
    SSLSocket handshake(Socket raw, String host, int port) throws IOException {
        try {
            SSLSocket socket = (SSLSocket) context().getSocketFactory().createSocket(raw, host,
                    port, true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
            if (mode.equals("verify_identity")) {
                parameters.setEndpointIdentificationAlgorithm("HTTPS"); // RFC 6125: SAN, else CN
            }
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return socket;
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS: " + e.getMessage(), e);
        }
    }

    private SSLContext context() throws GeneralSecurityException, IOException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(cert == null ? null : keyManagers().getKeyManagers(),
                verifies() ? trustManagers().getTrustManagers()
                        : new javax.net.ssl.TrustManager[] {new AnyServer()}, null);
        return context;
    }

    private TrustManagerFactory trustManagers() throws GeneralSecurityException, IOException {
        KeyStore trusted = emptyStore();
        int number = 0;
        for (Certificate certificate : certificates(ca)) {
            trusted.setCertificateEntry("ca" + number++, certificate);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        return factory;
    }

    private KeyManagerFactory keyManagers() throws GeneralSecurityException, IOException {
        KeyStore own = emptyStore();
        own.setKeyEntry("own", privateKey(), NO_PASSWORD,
                certificates(cert).toArray(Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(own, NO_PASSWORD);
        return factory;
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static List<Certificate> certificates(String path)
            throws GeneralSecurityException, IOException {
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            return List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(file));
        }
    }

    private PrivateKey privateKey() throws GeneralSecurityException, IOException {
        Matcher pem = PRIVATE_KEY.matcher(Files.readString(Path.of(key), StandardCharsets.US_ASCII));
        if (!pem.find()) {
            throw new InvalidKeySpecException("no PKCS #8 key");
        }
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(
                Base64.getMimeDecoder().decode(pem.group(1)));
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                continue; // PKCS #8 names its algorithm, but no factory takes any
            }
        }
        throw new InvalidKeySpecException("the key's algorithm is not known");
    }
}
