/* The faults that the generator can plant: one table, one row a kind. */
#pragma once

#include "base/span.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the shop keeps as hashes; the names are those of the mapping's entities. */
typedef enum {
    RP_SHOP_CUSTOMERS,
    RP_SHOP_ORDERS,
    RP_SHOP_PAYMENTS,
} RpShopEntity;

#define RP_SHOP_N_ENTITIES 3

/* "customers", "orders", "payments". */
const char *rp_shop_entity_name(RpShopEntity entity);

/* How a fault gets into a row that is good but for it. */
typedef enum {
    RP_SHOP_PLANT_VALUE,       /* the column's field holds one of the bad values */
    RP_SHOP_PLANT_ABSENT,      /* the column's field is not there */
    RP_SHOP_PLANT_CUT,         /* the column's field holds the first half of its text */
    RP_SHOP_PLANT_STRING_KEY,  /* the key holds a string, not a hash */
    RP_SHOP_PLANT_LONG_ID,     /* key and id field agree, on an id of more than 255 bytes */
    RP_SHOP_PLANT_GONE_PARENT, /* the reference names a hash that does not exist */
    RP_SHOP_PLANT_TWIN,        /* the column's field repeats that of a good row */
    RP_SHOP_PLANT_UNLISTED,    /* the customer's set leaves the order out */
    RP_SHOP_PLANT_DANGLING,    /* the customer's set names an order that does not exist */
} RpShopPlant;

#define RP_SHOP_MAX_BAD_VALUES 3

typedef struct {
    const char *name;
    RpShopEntity entity;
    RpShopPlant plant;
    const char *column; /* of the mapping, and the hash field by the same name; NULL: the key as a whole */
    const char *code;   /* the reject that a run gives for each planted row; NULL: a run sees nothing */
    const char *constraint; /* the mapping's check or the table's constraint that refuses, or NULL */
    const char *story;      /* what went wrong, in a line */
    RpSpan bad_values[RP_SHOP_MAX_BAD_VALUES]; /* of RP_SHOP_PLANT_VALUE; taken in turn, up to an empty one */
} RpShopFault;

#define RP_SHOP_N_FAULTS 44

extern const RpShopFault RP_SHOP_FAULTS[RP_SHOP_N_FAULTS];

G_END_DECLS
