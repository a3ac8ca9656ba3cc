/* Entries one after the other: unit, bucket and size as they lie in memory, then the data. */
#include "reconcile/spool.h"

#include "base/buffer.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_BUFFER_BYTES (256 * 1024)

struct RpSpool {
    FILE *file;
    guint64 max_bytes;
    guint64 n_bytes;
    guint64 n_entries;
    gboolean is_lost;
    RpBuffer data;
};

typedef struct {
    guint32 unit;
    guint32 bucket;
    guint64 size;
} Head;

/* A file without a name needs no cleaning up, however the process ends. Not every file system has them. */
static int open_nameless(void) {
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    g_autofree char *path = NULL;
    fd = g_file_open_tmp("redis2pg-XXXXXX", &path, NULL);
    if (fd >= 0)
        unlink(path);
    return fd;
}

RpSpool *rp_spool_new(guint64 max_bytes, GError **error) {
    const int fd = open_nameless();
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (file == NULL) {
        g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID,
                    "no temporary file can be made in %s: %s (TMPDIR names another folder)", g_get_tmp_dir(),
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    setvbuf(file, NULL, _IOFBF, FILE_BUFFER_BYTES);
    RpSpool *spool = g_new0(RpSpool, 1);
    *spool = (RpSpool){.file = file, .max_bytes = max_bytes};
    return spool;
}

void rp_spool_free(RpSpool *spool) {
    if (spool == NULL)
        return;
    fclose(spool->file);
    rp_buffer_clear(&spool->data);
    g_free(spool);
}

static void lose(RpSpool *spool) {
    spool->is_lost = TRUE;
    spool->n_entries = 0;
    clearerr(spool->file);
    rewind(spool->file);
    if (ftruncate(fileno(spool->file), 0) != 0)
        return; /* it goes with the process */
}

void rp_spool_add(RpSpool *spool, guint32 unit, guint32 bucket, RpSpan head, RpSpan tail) {
    const Head entry = {unit, bucket, head.size + tail.size};
    if (spool->is_lost)
        return;
    spool->n_bytes += sizeof entry + entry.size;
    const gboolean is_written = spool->n_bytes <= spool->max_bytes &&
                                fwrite(&entry, sizeof entry, 1, spool->file) == 1 &&
                                (head.size == 0 || fwrite(head.data, head.size, 1, spool->file) == 1) &&
                                (tail.size == 0 || fwrite(tail.data, tail.size, 1, spool->file) == 1);
    if (is_written)
        spool->n_entries++;
    else
        lose(spool);
}

gboolean rp_spool_is_lost(const RpSpool *spool) {
    return spool->is_lost;
}

guint64 rp_spool_get_size(const RpSpool *spool) {
    return spool->n_entries;
}

static gboolean fail(GError **error) {
    g_set_error(error, RP_USAGE_ERROR, RP_USAGE_ERROR_INVALID, "the temporary file in %s cannot be read: %s",
                g_get_tmp_dir(), g_strerror(errno));
    return FALSE;
}

/* What was buffered may be refused only now. */
gboolean rp_spool_rewind(RpSpool *spool, GError **error) {
    if (!spool->is_lost && fflush(spool->file) != 0)
        lose(spool);
    return fseeko(spool->file, 0, SEEK_SET) == 0 || fail(error);
}

gboolean rp_spool_next(RpSpool *spool, RpSpoolEntry *entry, gboolean *is_end, GError **error) {
    Head head;
    *is_end = FALSE;
    if (fread(&head, sizeof head, 1, spool->file) != 1) {
        *is_end = TRUE;
        return !ferror(spool->file) || fail(error);
    }
    spool->data.size = 0;
    rp_buffer_reserve(&spool->data, head.size);
    if (head.size > 0 && fread(spool->data.data, head.size, 1, spool->file) != 1)
        return fail(error);
    *entry = (RpSpoolEntry){head.unit, head.bucket, {spool->data.data, head.size}};
    return TRUE;
}
