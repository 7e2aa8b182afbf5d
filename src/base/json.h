/* src/base/json.h - writes one JSON value (RFC 8259), indented by two spaces, keys in the order given.
 *
 * No floating point: integers are exact to 64 bits, decimals come from integers, so that equal results are equal
 * bytes on every host. Text is passed through as UTF-8; bytes that are not become U+FFFD.
 * `key` is NULL for elements of an array and for the outermost value. Wrong nesting is a panic.
 */
#ifndef LAB_BASE_JSON_H
#define LAB_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = 64 };

struct json {
    FILE *out;
    unsigned depth;
    bool compact;                    /* one line, no spaces */
    bool done;                       /* the outermost value is complete */
    bool filled[JSON_DEPTH_MAX + 1]; /* has a member already */
    char closer[JSON_DEPTH_MAX + 1];
};

struct json json_writer(FILE *out, bool compact); /* `out` stays the caller's */
void json_object(struct json *, const char *key);
void json_array(struct json *, const char *key);
void json_end(struct json *);                     /* of the innermost object or array */
void json_string(struct json *, const char *key, const char *text); /* NULL text writes null */
void json_u64(struct json *, const char *key, uint64_t);
void json_i64(struct json *, const char *key, int64_t);
void json_hex64(struct json *, const char *key, uint64_t); /* a string "0x...", 16 digits: digests, addresses */
void json_bool(struct json *, const char *key, bool);
void json_null(struct json *, const char *key);
/* thousandths / 1000 with three decimals: ps as ns. */
void json_fixed3(struct json *, const char *key, uint64_t thousandths);
/* A ready JSON value (a nested document); the caller vouches for its form. */
void json_raw(struct json *, const char *key, const char *value);
/* The outermost value must be complete: writes the final newline. */
void json_finish(struct json *);

#endif
