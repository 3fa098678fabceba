/* Requests to a sandbox, for the runners in C and C++. */
#ifndef CONFORMANCE_HTTP_H
#define CONFORMANCE_HTTP_H

#ifdef __cplusplus
extern "C" {
#endif

/* Sends a request of HTTP/1.0 to http://127.0.0.1:PORT, whose body is JSON or NULL, and gives its status, 0 where
 * there is no answer. The body of the answer is the caller's to free. */
int http_ask(const char *base, const char *method, const char *path, const char *json, char **answer);

#ifdef __cplusplus
}
#endif
#endif
