package ncr_test

import _ "github.com/getkin/kin-openapi/openapi3"
