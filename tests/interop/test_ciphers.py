"""ChaCha20-Poly1305, which an application sets on the session and nothing on the wire announces."""

from conftest import cases

choosing = cases(version="1.2.2", strict=("1.2.2", "1.3"))


@choosing
def test_the_suite_is_found_out_and_kept(case, converse):
    talk = converse(case)
    talk.device.use_chacha20()
    for data in (b"first", bytes(1808)):
        talk.send_up(data)
        talk.send_down(data)
    talk.device.rekey()
    talk.send_up(b"under new keys")
    talk.send_down(b"down")
    talk.device.bye()
    talk.expect_disconnected("bye")


@choosing
def test_a_named_suite_serves_the_gateways_first_frame_too(case, converse):
    talk = converse(case, entry={"cipher": "chacha20-poly1305"})
    talk.device.use_chacha20()
    talk.send_down(b"before the device has sent anything")
    talk.send_up(b"and upward")


@cases(version="1.2.2", strict=("1.2.2", "1.3"), transport="tcp")
def test_another_suite_than_the_named_one_ends_the_session(case, converse):
    talk = converse(case, entry={"cipher": "aes-256-gcm"})
    talk.device.use_chacha20()
    talk.device.send(b"in the wrong suite")
    talk.expect_disconnected("protocol")


@cases(version="1.2.2", strict=("1.2.2", "1.3"), transport="udp")
def test_another_suite_than_the_named_one_is_not_acknowledged(case, converse):
    talk = converse(case, entry={"cipher": "aes-256-gcm"})
    talk.device.use_chacha20()
    sending = talk.device.start_send(b"in the wrong suite")
    talk.device.expect_pressure()
    talk.backend.expect_nothing()
    assert not sending.done()
