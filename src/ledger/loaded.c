#include "ledger/loaded.h"
const RpColumn *rp_ledger_loaded_obstacle(const RpEntity *entity) { (void)entity; return NULL; }
