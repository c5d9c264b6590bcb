//! jcds-credentials
