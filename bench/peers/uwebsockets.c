/* socketify PORT: uWebSockets as PyPI's socketify brings it, without Python: its C interface, declared as socketify's
 * native.py does. A WebSocket at /echo is sent back what it sends; what one at /topic sends is published to all there.
 * `cargo xtask peers` builds it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct us_listen_socket_t;
struct us_socket_context_options_t {
    const char *key_file_name, *cert_file_name, *passphrase, *dh_params_file_name, *ca_file_name, *ssl_ciphers;
    int ssl_prefer_low_memory_usage;
};
typedef struct uws_app_s uws_app_t;
typedef struct uws_websocket_s uws_websocket_t;
typedef int uws_opcode_t;
typedef struct {
    int port;
    const char *host;
    int options;
} uws_app_listen_config_t;
typedef struct {
    int compression;
    unsigned int maxPayloadLength;
    unsigned short idleTimeout;
    unsigned int maxBackpressure;
    bool closeOnBackpressureLimit, resetIdleTimeoutOnSend, sendPingsAutomatically;
    unsigned short maxLifetime;
    void *upgrade;
    void (*open)(uws_websocket_t *, void *);
    void (*message)(uws_websocket_t *, const char *, size_t, uws_opcode_t, void *);
    void *drain, *ping, *pong, *close, *subscription;
} uws_socket_behavior_t;

uws_app_t *uws_create_app(int ssl, struct us_socket_context_options_t options);
void uws_ws(int ssl, uws_app_t *, const char *pattern, uws_socket_behavior_t behavior, void *user_data);
void uws_app_listen_with_config(int ssl, uws_app_t *, uws_app_listen_config_t,
                                void (*)(struct us_listen_socket_t *, uws_app_listen_config_t, void *), void *user_data);
void uws_app_run(int ssl, uws_app_t *);
int uws_ws_send(int ssl, uws_websocket_t *, const char *message, size_t length, uws_opcode_t);
bool uws_ws_subscribe(int ssl, uws_websocket_t *, const char *topic, size_t length);
bool uws_publish(int ssl, uws_app_t *, const char *topic, size_t topic_length, const char *message, size_t length,
                 uws_opcode_t, bool compress);

static uws_app_t *app;

static void echo(uws_websocket_t *socket, const char *message, size_t length, uws_opcode_t opcode, void *data) {
    uws_ws_send(0, socket, message, length, opcode);
}

static void subscribe(uws_websocket_t *socket, void *data) {
    uws_ws_subscribe(0, socket, "all", 3);
}

static void publish(uws_websocket_t *socket, const char *message, size_t length, uws_opcode_t opcode, void *data) {
    uws_publish(0, app, "all", 3, message, length, opcode, false);
}

static void listening(struct us_listen_socket_t *listener, uws_app_listen_config_t config, void *data) {
    if (!listener) {
        fprintf(stderr, "port %d cannot be listened on\n", config.port);
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: socketify PORT | --version\n");
        return 2;
    }
    if (strcmp(arguments[1], "--version") == 0) {
        puts(VERSION);
        return 0;
    }
    struct us_socket_context_options_t plain = {0};
    uws_socket_behavior_t echoes = {.maxPayloadLength = 1 << 20, .maxBackpressure = 1 << 20, .message = echo};
    uws_socket_behavior_t topic = echoes;
    topic.open = subscribe;
    topic.message = publish;
    uws_app_listen_config_t config = {.port = atoi(arguments[1]), .host = "127.0.0.1"};
    app = uws_create_app(0, plain);
    uws_ws(0, app, "/echo", echoes, NULL);
    uws_ws(0, app, "/topic", topic, NULL);
    uws_app_listen_with_config(0, app, config, listening, NULL);
    uws_app_run(0, app);
    return 0;
}
