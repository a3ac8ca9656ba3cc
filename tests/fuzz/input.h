/* An input taken apart: its first bytes or lines choose what is tried, the rest is tried. */
#pragma once

#include "base/span.h"

#include <glib.h>
#include <stdint.h>

/* libFuzzer calls it with one input after the other; 0: it may become a seed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const char *at;
    const char *end;
} Input;

static inline Input input_of(const uint8_t *data, size_t size) {
    return (Input){(const char *)data, (const char *)data + size};
}

/* 0 when nothing is left. */
static inline guint8 input_byte(Input *input) {
    return input->at < input->end ? (guint8)*input->at++ : 0;
}

/* A number below n; digits choose it in inputs written by hand, capital letters go on from 10. */
static inline guint input_choose(Input *input, guint n) {
    const guint8 byte = input_byte(input);
    return (byte >= 'A' ? byte - 'A' + 10u : byte >= '0' ? byte - '0' + 0u : byte) % n;
}

/* What is left. It ends where the input ends: who reads past it is caught. */
static inline RpSpan input_rest(const Input *input) {
    return (RpSpan){input->at, (gsize)(input->end - input->at)};
}

/* The bytes up to the next newline, which is passed. */
static inline RpSpan input_line(Input *input) {
    const gsize left = (gsize)(input->end - input->at);
    const char *newline = left > 0 ? memchr(input->at, '\n', left) : NULL;
    const RpSpan line = {input->at, newline != NULL ? (gsize)(newline - input->at) : left};
    input->at = newline != NULL ? newline + 1 : input->end;
    return line;
}

/* The same as a C string: cut at a NUL. The caller frees it. */
static inline char *input_text(Input *input) {
    const RpSpan line = input_line(input);
    return g_strndup(line.data, line.size);
}
