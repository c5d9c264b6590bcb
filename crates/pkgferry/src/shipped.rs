use recipe::Source;

/// The recipe behind `pkgferry upload`, as it ships in `recipes/`.
pub fn upload_package() -> Source {
    Source {
        path: "recipes/upload-package.recipe.yaml".into(),
        bytes: include_bytes!("../../../recipes/upload-package.recipe.yaml").to_vec(),
    }
}
