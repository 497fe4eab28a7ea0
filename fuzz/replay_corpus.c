/* Runs a fuzz target over files, without libFuzzer: the ordinary test run replays the corpus with it, with whatever
 * compiler and sanitizers that build has.
 *
 * Arguments are files or folders (not searched further down). Exit 0 if there was at least one input and all of them
 * were read; what an input does wrong is for the target or a sanitizer to say.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLAY_INPUT_SIZE (1u << 20)

static size_t inputs_replayed;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    /* Read to a buffer of exactly the input's size, so that a sanitizer sees a read past its end. */
    uint8_t *whole = malloc(REPLAY_INPUT_SIZE);
    size_t size = whole != NULL ? fread(whole, 1, REPLAY_INPUT_SIZE, file) : 0;
    int failed = whole == NULL || ferror(file) || !feof(file);
    fclose(file);
    uint8_t *exact = failed ? NULL : realloc(whole, size > 0 ? size : 1);
    if (exact == NULL) {
        fprintf(stderr, "%s: cannot be read, or is over %u bytes\n", path, REPLAY_INPUT_SIZE);
        free(whole);
        return -1;
    }
    int result = LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs_replayed++;
    /* -1 is libFuzzer's "do not keep this one", no failure. */
    return result == 0 || result == -1 ? 0 : -1;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return -1;
    }
    int result = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char *file = NULL;
        struct stat status;
        if (asprintf(&file, "%s/%s", path, entry->d_name) < 0) {
            result = -1;
            break;
        }
        if (stat(file, &status) == 0 && S_ISREG(status.st_mode) && replay_file(file) != 0) {
            result = -1;
        }
        free(file);
    }
    closedir(folder);
    return result;
}

int main(int argument_count, char **arguments)
{
    int result = EXIT_SUCCESS;
    for (int i = 1; i < argument_count; i++) {
        struct stat status;
        if (stat(arguments[i], &status) != 0) {
            perror(arguments[i]);
            result = EXIT_FAILURE;
        } else if ((S_ISDIR(status.st_mode) ? replay_folder(arguments[i]) : replay_file(arguments[i])) != 0) {
            result = EXIT_FAILURE;
        }
    }
    printf("%zu inputs replayed\n", inputs_replayed);
    return inputs_replayed > 0 ? result : EXIT_FAILURE;
}
