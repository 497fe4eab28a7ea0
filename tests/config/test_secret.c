/* Master secrets: from the environment, a file, a credential. */
#define _GNU_SOURCE
#include "config/config_file.h"

#include "config/process_memory.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void assert_secret(const struct config_secret *found, enum config_secret_kind kind, const char *name,
                          const char *bytes)
{
    assert_int_equal(found->kind, kind);
    assert_string_equal(found->name, name);
    assert_int_equal(found->length, strlen(bytes));
    assert_memory_equal(found->bytes, bytes, strlen(bytes));
}

static void from_the_environment(void **state)
{
    setenv("TEST_SECRET", secret, 1);
    setenv("TEST_PREVIOUS", "older", 1);
    const struct config *config = load("psk:\n"
                                       "  master_secret: { env: TEST_SECRET }\n"
                                       "  previous_master_secret: { env: TEST_PREVIOUS }\n");
    assert_secret(&config->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, "TEST_SECRET", secret);
    assert_int_equal(config->psk.master_secret.place.line, 2);
    assert_int_equal(config->psk.master_secret.place.column, 25);
    assert_string_equal(config->psk.master_secret.place.file, "usmpd.yaml");
    assert_secret(&config->psk.previous_master_secret, CONFIG_SECRET_ENVIRONMENT, "TEST_PREVIOUS", "older");
    unsetenv("TEST_PREVIOUS");
    refuse("psk:\n"
           "  master_secret: { env: TEST_SECRET }\n"
           "  previous_master_secret: { env: TEST_PREVIOUS }\n",
           "usmpd.yaml:3:34: psk.previous_master_secret.env: there is no environment variable of this name\n");
    /* Set, but empty, is for the registry to refuse. */
    setenv("TEST_SECRET", "", 1);
    config = load("psk: { master_secret: { env: TEST_SECRET } }\n");
    assert_secret(&config->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, "TEST_SECRET", "");
    unsetenv("TEST_SECRET");
}

static void environment_is_bounded(void **state)
{
    char *text = malloc(CONFIG_SECRET_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', CONFIG_SECRET_MAX + 1);
    text[CONFIG_SECRET_MAX + 1] = '\0';
    setenv("TEST_SECRET", text, 1);
    refuse("psk: { master_secret: { env: TEST_SECRET } }\n",
           "usmpd.yaml:1:30: psk.master_secret.env: the variable is longer than 4096 bytes\n");
    text[CONFIG_SECRET_MAX] = '\0';
    setenv("TEST_SECRET", text, 1);
    assert_int_equal(load("psk: { master_secret: { env: TEST_SECRET } }\n")->psk.master_secret.length, 4096);
    unsetenv("TEST_SECRET");
    free(text);
}

static void from_a_file(void **state)
{
    static const struct {
        const char *content;
        const char *expected;
    } cases[] = {
        {"plain", "plain"},
        {"newline\n", "newline"},
        {"two\n\n", "two\n"},
        {"crlf\r\n", "crlf\r"},
        {"in\nside", "in\nside"},
        {"", ""},
        {"\n", ""},
        {" space ", " space "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        config_file_write("master", cases[i].content, 0600);
        const struct config *config = load("psk: { master_secret: { file: master } }\n");
        assert_secret(&config->psk.master_secret, CONFIG_SECRET_FILE, "master", cases[i].expected);
    }
    unlink("master");
    refuse("psk: { master_secret: { file: master } }\n",
           "usmpd.yaml:1:31: psk.master_secret.file: master cannot be opened: No such file or directory\n");
}

static void files_are_private(void **state)
{
    config_file_write("master", secret, 0644);
    refuse(
        "psk: { master_secret: { file: master } }\n",
        "usmpd.yaml:1:31: psk.master_secret.file: master holds keys and is open to others (mode 0644): chmod o-rwx master\n");
    const struct config *config = load("psk: { master_secret: { file: master }, insecure_permissions: true }\n");
    assert_secret(&config->psk.master_secret, CONFIG_SECRET_FILE, "master", secret);
    unlink("master");
}

static void files_are_bounded(void **state)
{
    char *text = malloc(CONFIG_SECRET_MAX + 3);
    assert_non_null(text);
    memset(text, 'x', CONFIG_SECRET_MAX + 2);
    text[CONFIG_SECRET_MAX + 2] = '\0';
    config_file_write("master", text, 0600);
    refuse("psk: { master_secret: { file: master } }\n",
           "usmpd.yaml:1:31: psk.master_secret.file: master is larger than 4097 bytes\n");
    text[CONFIG_SECRET_MAX + 1] = '\0';
    config_file_write("master", text, 0600);
    refuse("psk: { master_secret: { file: master } }\n",
           "usmpd.yaml:1:31: psk.master_secret: longer than 4096 bytes\n");
    text[CONFIG_SECRET_MAX] = '\n';
    config_file_write("master", text, 0600);
    assert_int_equal(load("psk: { master_secret: { file: master } }\n")->psk.master_secret.length, 4096);
    unlink("master");
    free(text);
}

static void from_a_credential(void **state)
{
    struct config_file *file = *state;
    unsetenv("CREDENTIALS_DIRECTORY");
    refuse("psk: { master_secret: { credential: master } }\n",
           "usmpd.yaml:1:37: psk.master_secret.credential: there is no $CREDENTIALS_DIRECTORY; the service needs "
           "LoadCredential=\n");
    setenv("CREDENTIALS_DIRECTORY", "relative", 1);
    refuse("psk: { master_secret: { credential: master } }\n",
           "usmpd.yaml:1:37: psk.master_secret.credential: there is no $CREDENTIALS_DIRECTORY; the service needs "
           "LoadCredential=\n");
    setenv("CREDENTIALS_DIRECTORY", file->folder, 1);
    config_file_write("master", "0123\n", 0444);
    const struct config *config = load("psk: { master_secret: { credential: master } }\n");
    assert_secret(&config->psk.master_secret, CONFIG_SECRET_CREDENTIAL, "master", "0123");
    unlink("master");
    char expected[256];
    snprintf(expected, sizeof expected,
             "usmpd.yaml:1:37: psk.master_secret.credential: %s/master cannot be opened: No such file or directory\n",
             file->folder);
    refuse("psk: { master_secret: { credential: master } }\n", expected);
    char *long_folder = malloc(4097);
    assert_non_null(long_folder);
    memset(long_folder, '/', 4096);
    long_folder[4096] = '\0';
    setenv("CREDENTIALS_DIRECTORY", long_folder, 1);
    refuse("psk: { master_secret: { credential: master } }\n",
           "usmpd.yaml:1:37: psk.master_secret.credential: its path is too long\n");
    free(long_folder);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void sources_that_are_none(void **state)
{
    refuse("psk:\n"
           "  master_secret: { env: \"A=B\" }\n",
           "usmpd.yaml:2:25: psk.master_secret.env: is no name of an environment variable\n");
    static const char *const names[] = {"../master", "/etc/passwd", "\".\"", "\"..\"", "a/b"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "psk: { master_secret: { credential: %s } }\n", names[i]);
        refuse(text, "usmpd.yaml:1:37: psk.master_secret.credential: is no name of a credential\n");
    }
    refuse("psk:\n"
           "  master_secret: { env: \"\" }\n"
           "  previous_master_secret: { file: \"\", colour: red }\n",
           "usmpd.yaml:2:25: psk.master_secret.env: is empty\n"
           "usmpd.yaml:3:35: psk.previous_master_secret.file: is empty\n"
           "usmpd.yaml:3:39: psk.previous_master_secret.colour: unknown key (env, file or credential is possible)\n");
    refuse("psk:\n"
           "  master_secret: { env: [X] }\n"
           "  previous_master_secret: { credential: }\n",
           "usmpd.yaml:2:25: psk.master_secret.env: expected one value, not a list\n"
           "usmpd.yaml:3:41: psk.previous_master_secret.credential: has no value; leave the key out for its default\n");
}

static void only_one_source(void **state)
{
    setenv("TEST_SECRET", secret, 1);
    refuse("psk:\n"
           "  master_secret:\n"
           "    env: TEST_SECRET\n"
           "    file: master\n"
           "    credential: master\n",
           "usmpd.yaml:4:11: psk.master_secret.file: a second source: only one of env, file and credential is "
           "possible\n"
           "usmpd.yaml:5:17: psk.master_secret.credential: a second source: only one of env, file and credential is "
           "possible\n");
    unsetenv("TEST_SECRET");
}

static void misplaced_secrets_are_not_shown(void **state)
{
    static const char *const texts[] = {
        "psk: { master_secret: 0123456789abcdef0123456789abcdef }\n",
        "psk: { master_secret: [0123456789abcdef0123456789abcdef] }\n",
        "psk: { master_secret: { env: 0123456789abcdef0123456789abcdef } }\n",
        "psk: { master_secret: { env: \"0123456789abcdef0123456789abcdef=\" } }\n",
        "psk: { master_secret: { credential: \"0123456789abcdef0123456789abcdef/\" } }\n",
        "psk: { master_secret: { 0123456789abcdef0123456789abcdef: x } }\n",
        "psk: { 0123456789abcdef0123456789abcdef: x }\n",
        "0123456789abcdef0123456789abcdef: x\n",
    };
    struct config_file *file = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        config_file_reset(file);
        config_file_write("usmpd.yaml", texts[i], 0600);
        assert_null(config_load("usmpd.yaml", file->diagnostics));
        char *messages = messages_of(file->diagnostics);
        assert_null(strstr(messages, "0123456789abcdef"));
        free(messages);
    }
}

static void forgotten_variables_are_wiped(void **state)
{
    setenv("TEST_SECRET", secret, 1);
    setenv("TEST_PREVIOUS", "older", 1);
    const char *place = getenv("TEST_SECRET");
    assert_non_null(place);
    const struct config *config = load("psk:\n"
                                       "  master_secret: { env: TEST_SECRET }\n"
                                       "  previous_master_secret: { env: TEST_PREVIOUS }\n");
    config_forget_environment(config);
    assert_null(getenv("TEST_SECRET"));
    assert_null(getenv("TEST_PREVIOUS"));
    for (size_t i = 0; i < strlen(secret); i++) {
        assert_int_equal(place[i], '\0');
    }
    assert_secret(&config->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, "TEST_SECRET", secret);
    /* Once more, and for other sources, it does nothing. */
    config_forget_environment(config);
    config_file_write("master", secret, 0600);
    config_forget_environment(load("psk: { master_secret: { file: master } }\n"));
    unlink("master");
}

static void nothing_is_left_after_free(void **state)
{
    struct config_file *file = *state;
    unsigned char masked[32];
    int random = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(random, masked, sizeof masked), sizeof masked);
    close(random);
    int descriptor = open("master", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    unsigned char bytes[sizeof masked];
    for (size_t i = 0; i < sizeof masked; i++) {
        bytes[i] = masked[i] ^ PROCESS_MEMORY_MASK;
    }
    assert_int_equal(write(descriptor, bytes, sizeof bytes), sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    close(descriptor);
    load("psk: { master_secret: { file: master } }\n");
    assert_int_equal(process_memory_count(masked, sizeof masked), 1);
    config_file_reset(file);
    assert_int_equal(process_memory_count(masked, 8), 0);
    unlink("master");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(from_the_environment),
        WITH(environment_is_bounded),
        WITH(from_a_file),
        WITH(files_are_private),
        WITH(files_are_bounded),
        WITH(from_a_credential),
        WITH(sources_that_are_none),
        WITH(only_one_source),
        WITH(misplaced_secrets_are_not_shown),
        WITH(forgotten_variables_are_wiped),
        WITH(nothing_is_left_after_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
