//! The file in the list of the distribution service.

use crate::{AddressSource, Error, Wanted};
use jamf::{JcdsFile, Session};
use pipeline::{Context, FileName, Found};
use std::sync::Arc;
use url::Url;

/// The only listed file of this name, whatever its spelling.
pub(crate) fn find(name: &FileName, files: &[JcdsFile]) -> Result<JcdsFile, Error> {
    match name.find(files, |file| &file.name) {
        Found::One(file) => Ok(file.clone()),
        Found::Several(files) => {
            Err(Error::SeveralFiles { names: files.into_iter().map(|file| file.name.clone()).collect() })
        }
        Found::None => {
            let wanted = name.as_str().to_lowercase();
            let is_similar =
                |file: &&JcdsFile| file.name.to_lowercase() == wanted || name.is_twin(&file.name);
            let similar = files.iter().filter(is_similar).map(|file| file.name.clone()).collect();
            Err(Error::NotListed { file: name.clone(), similar })
        }
    }
}

/// What the list tells of the file. An entry without a usable size reads as one of size 0.
pub(crate) fn wanted(name: FileName, file: &JcdsFile) -> Result<Wanted, Error> {
    match file.size {
        0 => Err(Error::NoSize { file: name }),
        size => Ok(Wanted { name, size, md5: file.md5, sha3_512: file.sha3_512 }),
    }
}

/// Addresses of a listed file, from Jamf Pro (`jamf-pro-api.md §7.4`).
#[derive(Debug)]
pub(crate) struct Listed {
    pub session: Arc<Session>,
    /// As the server spells it.
    pub name: String,
}

impl AddressSource for Listed {
    type Error = jamf::Error;

    async fn address(&self, cx: &Context) -> Result<Url, jamf::Error> {
        Box::pin(self.session.jcds_download_address(cx, &self.name)).await
    }
}
