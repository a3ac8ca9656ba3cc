/* Bytes, as they are or decoded. */
#include "mapping/converters.h"

/* Moves the decoded bytes into out, after their size. */
static gboolean append_hex(RpSpan text, RpBuffer *out) {
    if (text.size >= 2 && text.data[0] == '\\' && text.data[1] == 'x') /* as PostgreSQL writes it */
        text = (RpSpan){text.data + 2, text.size - 2};
    if (text.size % 2 != 0)
        return FALSE;
    rp_buffer_append_u32(out, (guint32)(text.size / 2));
    char *to = rp_buffer_reserve(out, text.size / 2);
    for (gsize i = 0; i < text.size; i += 2) {
        const int high = g_ascii_xdigit_value(text.data[i]);
        const int low = g_ascii_xdigit_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return FALSE;
        *to++ = (char)(high * 16 + low);
    }
    out->size += text.size / 2;
    return TRUE;
}

static int base64_value(char byte) {
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

/* RFC 4648, section 4: its alphabet only, padded, and the bits that the padding leaves over are zero. */
static gboolean append_base64(RpSpan text, RpBuffer *out) {
    if (text.size % 4 != 0)
        return FALSE;
    gsize n_padding = 0;
    while (n_padding < 2 && n_padding < text.size && text.data[text.size - 1 - n_padding] == '=')
        n_padding++;
    const gsize size_bytes = text.size / 4 * 3 - n_padding;
    rp_buffer_append_u32(out, (guint32)size_bytes);
    char *to = rp_buffer_reserve(out, size_bytes);
    guint bits = 0, n_bits = 0;
    for (gsize i = 0; i < text.size - n_padding; i++) {
        const int value = base64_value(text.data[i]);
        if (value < 0)
            return FALSE;
        bits = (bits << 6 | (guint)value) & 0xfff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *to++ = (char)(bits >> n_bits & 0xff);
        }
    }
    out->size += size_bytes;
    return (bits & ((1u << n_bits) - 1)) == 0;
}

gboolean rp_convert_bytea(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,
                          RpProblem *problem) {
    (void)converted;
    switch (conversion->encoding) {
    case RP_ENCODING_RAW:
        rp_buffer_append_u32(out, (guint32)text.size);
        rp_buffer_append(out, text.data, text.size);
        return TRUE;
    case RP_ENCODING_HEX:
        return append_hex(text, out) ? TRUE
                                     : rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not hex");
    case RP_ENCODING_BASE64:
        return append_base64(text, out)
                   ? TRUE
                   : rp_problem_set(problem, RP_REJECT_INVALID_ENCODING, "is not base64 of RFC 4648");
    }
    g_assert_not_reached();
}
