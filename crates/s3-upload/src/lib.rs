//! s3-upload
