/* What a YAML file is made of. */
#pragma once

#include "mapping/document.h"

#include <yaml.h>

G_BEGIN_DECLS

struct RpYamlFile {
    char *name;
    yaml_document_t document;
    gboolean has_document;
};

G_END_DECLS
