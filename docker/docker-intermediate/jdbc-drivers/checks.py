# jdbc-drivers: five links, five drivers that say which version they are. Environment: versions. (After base/checks.py.)
DRIVERS = {
    "mysql": ("com.mysql.cj.jdbc.Driver", "jdbc:mysql://h/d", "MYSQL_JDBC"),
    "mssql": ("com.microsoft.sqlserver.jdbc.SQLServerDriver", "jdbc:sqlserver://h", "MSSQL_JDBC"),
    "postgresql": ("org.postgresql.Driver", "jdbc:postgresql://h/d", "POSTGRESQL_JDBC"),
    "oracle": ("oracle.jdbc.OracleDriver", "jdbc:oracle:thin:@h:1521:x", "ORACLE_JDBC"),
    "vertica": ("com.vertica.jdbc.Driver", "jdbc:vertica://h/d", "VERTICA_JDBC"),
}

jvm = started_jvm()
for name, (class_name, url, variable) in DRIVERS.items():

    @check(f"/opt/jdbc/{name}.jar is the driver of {os.environ[variable]}, and it takes its URLs")
    def _():
        jar = os.path.realpath(f"/opt/jdbc/{name}.jar")
        equal(os.path.dirname(jar), "/opt/spark/jars")
        assert os.environ[variable] in os.path.basename(jar), jar
        driver = jvm.java.lang.Class.forName(class_name).getDeclaredConstructor(None).newInstance(None)
        source = driver.getClass().getProtectionDomain().getCodeSource().getLocation().getPath()
        equal(source, jar)
        assert driver.acceptsURL(url)


finish()
