//! Connector types that a connected Kibana reports.

use std::collections::BTreeMap;

use super::Catalogue;

/// Names of connector types by id, as a connected Kibana reports them. They are used for types that the catalogue does
/// not know, such as those of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportedTypes(BTreeMap<String, String>);

impl ReportedTypes {
    /// Returns the name that Kibana reports for a type; `None` if the catalogue knows the type or no Kibana reported
    /// it.
    pub fn name(&self, id: &str, catalogue: &Catalogue) -> Option<&str> {
        if catalogue.get(id).is_some() {
            return None;
        }
        self.0.get(id).map(String::as_str)
    }

    /// Returns the name to show for a type: the catalogue's, else the reported one, else its id.
    pub fn label<'a>(&'a self, id: &'a str, catalogue: &'a Catalogue) -> &'a str {
        let known = catalogue.get(id).map(|known| known.name.as_str());
        known.or_else(|| self.name(id, catalogue)).unwrap_or(id)
    }
}

impl FromIterator<(String, String)> for ReportedTypes {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(types: T) -> Self {
        Self(types.into_iter().collect())
    }
}
