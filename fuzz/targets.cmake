usmpd_fuzz(frame SOURCES frame/fuzz_frame.c USES proto)
usmpd_fuzz(handshake SOURCES handshake/fuzz_handshake.c USES proto)
usmpd_fuzz(session SOURCES session/fuzz_session.c USES proto)
