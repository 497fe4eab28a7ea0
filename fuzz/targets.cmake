usmpd_fuzz(frame SOURCES frame/fuzz_frame.c USES proto)
