/* UUIDs: text, and version 5 as RFC 9562 has it. */
#include "mapping/uuid.h"

#include <criterion/criterion.h>
#include <glib.h>

/* RFC 9562, section 6.6. */
#define DNS "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define URL "6ba7b811-9dad-11d1-80b4-00c04fd430c8"

static RpUuid parse(const char *text) {
    RpUuid uuid;
    cr_assert(rp_uuid_parse(rp_span(text), &uuid), "%s", text);
    return uuid;
}

static void assert_v5(const char *name_space, const RpSpan *parts, guint n_parts, const char *expected) {
    const RpUuid space = parse(name_space);
    for (int i = 0; i < 2; i++) { /* the second use finds the checksum used */
        RpUuid uuid;
        char text[37];
        rp_uuid_v5(&space, parts, n_parts, &uuid);
        rp_uuid_format(&uuid, text);
        cr_assert(strcmp(text, expected) == 0, "%.*s gave %s", (int)parts[0].size, parts[0].data, text);
    }
}

Test(uuid, version_5_is_that_of_the_rfc) {
    /* The first is of appendix A.4; the others are computed by another implementation. */
    assert_v5(DNS, &RP_SPAN_OF("www.example.com"), 1, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_v5(DNS, &RP_SPAN_OF("python.org"), 1, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
    assert_v5(URL, &RP_SPAN_OF("http://www.example.com/"), 1, "fcde3c85-2270-590f-9e7c-ee003d65e0e2");
}

Test(uuid, version_5_joins_parts_with_a_colon) {
    const RpSpan parts[] = {RP_SPAN_OF("customer"), RP_SPAN_OF("c1"), RP_SPAN_OF("")};
    assert_v5(DNS, &RP_SPAN_OF("customer:c1"), 1, "24d0fcb9-f80f-5b66-91eb-2cc3e957e998");
    assert_v5(DNS, parts, 2, "24d0fcb9-f80f-5b66-91eb-2cc3e957e998");
    assert_v5(DNS, parts, 3, "0dc1ce83-ec7c-54e3-be0f-a83f995aa351");
}

Test(uuid, default_namespace_is_that_of_redis2pg_invalid) {
    char text[37];
    rp_uuid_format(&RP_UUID_DEFAULT_NAMESPACE, text);
    assert_v5(DNS, &RP_SPAN_OF("redis2pg.invalid"), 1, text);
}

Test(uuid, is_read_in_both_forms_and_any_case) {
    static const char *const GOOD[] = {
        "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBCCDDEEFF",
        "00112233445566778899aabbccddeeff", "00112233445566778899AaBbCcDdEeFf"};
    for (guint i = 0; i < G_N_ELEMENTS(GOOD); i++) {
        const RpUuid uuid = parse(GOOD[i]);
        char text[37];
        for (guint byte = 0; byte < 16; byte++)
            cr_assert(uuid.bytes[byte] == byte * 0x11, "%s", GOOD[i]);
        rp_uuid_format(&uuid, text);
        cr_assert(strcmp(text, GOOD[0]) == 0, "%s", text);
    }
}

Test(uuid, is_nothing_else) {
    static const char *const BAD[] = {"",
                                      "00112233-4455-6677-8899-aabbccddeef",
                                      "00112233-4455-6677-8899-aabbccddeefff",
                                      "00112233-4455-6677-8899-aabbccddeefg",
                                      "0011223-34455-6677-8899-aabbccddeeff",
                                      "00112233445566778899aabbccddeef",
                                      "00112233445566778899aabbccddeeff0000",
                                      "{00112233-4455-6677-8899-aabbccddeeff}",
                                      "urn:uuid:00112233-4455-6677-8899-aabbccddeeff",
                                      " 00112233445566778899aabbccddeeff",
                                      "0011-2233-4455-6677-8899-aabb-ccdd-eeff",
                                      "-----------00112233445566778899aabbc"};
    RpUuid uuid;
    for (guint i = 0; i < G_N_ELEMENTS(BAD); i++)
        cr_assert(!rp_uuid_parse(rp_span(BAD[i]), &uuid), "%s", BAD[i]);
    cr_assert(!rp_uuid_parse(RP_SPAN_OF("00112233445566778899aabbccddee\0f"), &uuid));
}
