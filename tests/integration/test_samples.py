"""The sample data that people start with."""


def test_mysql_sample_users(service, world):
    reply = service.query("mysql", "SELECT * FROM users WHERE id IN (1, 12) ORDER BY id",
                          config=world.config(world.mysql, "demo"))
    assert reply.status == 200, reply
    assert reply.body.decode() == (
        '[{"id":1,"name":"Ada Lovelace","age":36,"city":"London",'
        '"created_at":"2024-01-05T09:00:00.000000Z","balance":"1250.00"},'
        '{"id":12,"name":"José Valim","age":38,"city":null,'
        '"created_at":"2024-08-19T16:40:00.000000Z","balance":"-12.34"}]')
