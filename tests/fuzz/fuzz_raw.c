/* Raw records of rejects: what is accepted is written again, byte for byte. */
#include "model/raw.h"

#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const RpSpan bytes = {(const char *)data, size};
    RpRaw raw;
    if (!rp_raw_open(&raw, bytes))
        return 0;
    RpRecords records;
    RpBuffer written = {0};
    rp_records_init(&records);
    rp_raw_append(&raw, 0, &records);
    rp_records_append_raw(&records, 0, &written);
    g_assert(rp_span_equal((RpSpan){written.data, written.size}, bytes));
    rp_buffer_clear(&written);
    rp_records_clear(&records);
    return 0;
}
