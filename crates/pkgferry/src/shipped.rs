use recipe::Source;

macro_rules! shipped {
    ($name:literal) => {
        Source {
            path: concat!("built-in/", $name).into(),
            bytes: include_bytes!(concat!("../../../recipes/", $name)).to_vec(),
        }
    };
}

/// The recipe behind `pkgferry upload`.
pub fn upload_package() -> Source {
    shipped!("upload-package.recipe.yaml")
}

/// The record without its file, for `pkgferry promote`.
pub fn package_record_only() -> Source {
    shipped!("package-record-only.recipe.yaml")
}

/// The recipe behind `pkgferry verify`.
pub fn verify_package() -> Source {
    shipped!("verify-package.recipe.yaml")
}

/// The recipe behind `pkgferry download`.
pub fn download_package() -> Source {
    shipped!("download-package.recipe.yaml")
}

/// Recipes that run, and serve as parents, without their files: all in `recipes/` that refer to no file beside them.
pub fn all() -> Vec<Source> {
    vec![upload_package(), package_record_only(), verify_package(), download_package()]
}
