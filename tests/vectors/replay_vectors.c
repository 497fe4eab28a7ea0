/* replay_vectors FILE…: replays recorded conversations through libusmp in both roles, byte for byte.
 *
 * One line a transcript: what agreed, or the first difference. Exit status 0 if every transcript of every file agrees
 * and there is at least one in each, 1 if not, 2 for a wrong command line.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/start.h>

#include "vectors/replay/transcript.h"

#define EXIT_USAGE 2

/* Escapes what a file made up, for a terminal. */
static void print_name(const json_t *transcript, size_t number)
{
    const char *name = json_string_value(json_object_get(transcript, "name"));
    if (name == NULL) {
        printf("transcripts[%zu]", number);
        return;
    }
    for (const char *character = name; *character != '\0'; character++)
        (void)putchar((unsigned char)*character < 0x20 || *character == 0x7F ? '?' : *character);
}

static bool replay_one(const char *file, const json_t *transcript, size_t number)
{
    struct replay_report report;
    bool agrees = replay_transcript(transcript, &report);
    printf("%s: ", file);
    print_name(transcript, number);
    if (agrees)
        printf(": agrees (%u handshake frames, %u session frames, %u messages, %u UTACKs)\n", report.handshake_frames,
               report.session_frames, report.messages, report.utacks);
    else
        printf(": DIFFERS: %s\n", report.difference);
    return agrees;
}

static bool replay_file(const char *file)
{
    json_error_t error;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        (void)fprintf(stderr, "%s:%d:%d: %s\n", file, error.line, error.column, error.text);
        return false;
    }
    const json_t *transcripts = json_object_get(root, "transcripts");
    size_t count = json_array_size(transcripts);
    if (count == 0)
        (void)fprintf(stderr, "%s: there are no transcripts in it: not a file of recorded conversations\n", file);

    size_t agreeing = 0;
    for (size_t i = 0; i < count; i++)
        agreeing += replay_one(file, json_array_get(transcripts, i), i) ? 1 : 0;
    json_decref(root);
    return count > 0 && agreeing == count;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        bool is_help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
        (void)fprintf(is_help ? stdout : stderr, "Usage: replay_vectors FILE...\n");
        return is_help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    const char *problem = usmp_start();
    if (problem != NULL) {
        (void)fprintf(stderr, "replay_vectors: %s\n", problem);
        return EXIT_FAILURE;
    }
    bool all_agree = true;
    for (int i = 1; i < argc; i++)
        all_agree = replay_file(argv[i]) && all_agree;
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    return all_agree ? EXIT_SUCCESS : EXIT_FAILURE;
}
