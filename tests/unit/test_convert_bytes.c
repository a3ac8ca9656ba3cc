/* Bytes with their encodings, and booleans with a mapping's own words. */
#include "converting.h"

#define BYTEA COLUMN(RP_TYPE_BYTEA, "bytea")

Test(convert_bytes, raw) {
    ASSERT_CASES(BYTEA, {"", ""}, {"abc", "616263"}, {"\xff\xfe", "fffe"}, {"\\x41", "5c783431"});
    const RpConversion conversion = {.column = BYTEA};
    assert_conversion(&conversion, RP_SPAN_OF("a\0\xffz"), "6100ff7a");
}

Test(convert_bytes, hex) {
    const RpConversion conversion = {.column = BYTEA, .encoding = RP_ENCODING_HEX};
    ASSERT_REFINED(&conversion, {"", ""}, {"00", "00"}, {"DEADbeef", "deadbeef"}, {"\\xDEad", "dead"},
                   {"\\x", ""}, {"0", "invalid_encoding"}, {"0g", "invalid_encoding"},
                   {"\\x0", "invalid_encoding"}, {"\\X00", "invalid_encoding"}, {"0x00", "invalid_encoding"},
                   {"00 00", "invalid_encoding"}, {"00\n", "invalid_encoding"}, {"\\", "invalid_encoding"},
                   {"\xff\xff", "invalid_encoding"});
    assert_conversion(&conversion, RP_SPAN_OF("0\0"), "invalid_encoding");
}

Test(convert_bytes, base64) {
    const RpConversion conversion = {.column = BYTEA, .encoding = RP_ENCODING_BASE64};
    /* the vectors of RFC 4648, section 10, and all of the alphabet */
    ASSERT_REFINED(
        &conversion, {"", ""}, {"Zg==", "66"}, {"Zm8=", "666f"}, {"Zm9v", "666f6f"}, {"Zm9vYg==", "666f6f62"},
        {"Zm9vYmE=", "666f6f6261"}, {"Zm9vYmFy", "666f6f626172"}, {"AAAA", "000000"}, {"////", "ffffff"},
        {"+/+/", "fbffbf"}, {"AP8=", "00ff"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
         "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39eb"
         "bf3dfbf"});
    ASSERT_REFINED(
        &conversion, {"Zg", "invalid_encoding"}, {"Zg=", "invalid_encoding"}, {"Zg===", "invalid_encoding"},
        {"====", "invalid_encoding"}, {"=", "invalid_encoding"}, {"A===", "invalid_encoding"},
        {"Zg==Zg==", "invalid_encoding"}, {"Z=g=", "invalid_encoding"}, {"Zm9v\n", "invalid_encoding"},
        {"Zm9v\nZm9", "invalid_encoding"}, {"Zm 9v", "invalid_encoding"}, {"-_-_", "invalid_encoding"},
        {"Zh==", "invalid_encoding"}, {"Zm9=", "invalid_encoding"}, {"\xff\xff\xff\xff", "invalid_encoding"});
    assert_conversion(&conversion, RP_SPAN_OF("Zm9\0"), "invalid_encoding");
}

Test(convert_bytes, boolean_words_replace_those_of_postgres) {
    static char *yes[] = {"J", "ja", "\xc3\xa0", NULL};
    static char *no[] = {"N", "", NULL};
    const RpConversion both = {
        .column = COLUMN(RP_TYPE_BOOL, "boolean"), .true_words = yes, .false_words = no};
    ASSERT_REFINED(&both, {"J", "01"}, {"ja", "01"}, {"\xc3\xa0", "01"}, {"N", "00"}, {"", "00"},
                   {"j", "invalid_boolean"}, {"JA", "invalid_boolean"}, {"true", "invalid_boolean"},
                   {"0", "invalid_boolean"}, {"ja ", "invalid_boolean"});
    assert_conversion(&both, RP_SPAN_OF("J\0"), "invalid_boolean");
    const RpConversion one = {.column = COLUMN(RP_TYPE_BOOL, "boolean"), .true_words = yes};
    ASSERT_REFINED(&one, {"J", "01"}, {"false", "invalid_boolean"}, {"true", "invalid_boolean"});
}
