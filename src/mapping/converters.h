/* The converters, by the files that they stand in; rp_converter_for hands them out. */
#pragma once

#include "mapping/convert.h"

#include <glib.h>

G_BEGIN_DECLS

/* Each is an RpConverter. */
#define RP_DECLARE_CONVERTER(name)                                                                           \
    gboolean name(const RpConversion *conversion, RpSpan text, RpBuffer *out, RpConverted *converted,        \
                  RpProblem *problem)

/* convert_number.c */
RP_DECLARE_CONVERTER(rp_convert_integer); /* int2, int4, int8 */
RP_DECLARE_CONVERTER(rp_convert_numeric);
RP_DECLARE_CONVERTER(rp_convert_float4);
RP_DECLARE_CONVERTER(rp_convert_float8);

/* convert_time.c */
RP_DECLARE_CONVERTER(rp_convert_date);
RP_DECLARE_CONVERTER(rp_convert_time);
RP_DECLARE_CONVERTER(rp_convert_timestamp);
RP_DECLARE_CONVERTER(rp_convert_timestamptz);

/* convert_text.c */
RP_DECLARE_CONVERTER(rp_convert_bool);
RP_DECLARE_CONVERTER(rp_convert_text); /* text of any kind, and of types that PostgreSQL casts */
RP_DECLARE_CONVERTER(rp_convert_uuid);
RP_DECLARE_CONVERTER(rp_convert_json);
RP_DECLARE_CONVERTER(rp_convert_jsonb);
RP_DECLARE_CONVERTER(rp_convert_enum);

/* Whether the bytes are UTF-8 without NUL; else RP_REJECT_INVALID_ENCODING. */
gboolean rp_convert_check_text(RpSpan text, RpProblem *problem);

/* convert_bytes.c */
RP_DECLARE_CONVERTER(rp_convert_bytea);

/* convert_array.c */
RP_DECLARE_CONVERTER(rp_convert_array);

G_END_DECLS
