//! A kernel's configuration, as kbuild writes it: `.config`, `include/config/auto.conf`,
//! `/boot/config-RELEASE`.

use std::collections::HashSet;

/// The options that are set to `y` or `m`.
#[derive(Clone, Debug, Default)]
pub struct Config(HashSet<Vec<u8>>);

impl Config {
    /// Reads the text of a configuration.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let option = |line: &[u8]| {
            let line = line.strip_prefix(b"CONFIG_")?;
            let name = line.strip_suffix(b"=y").or_else(|| line.strip_suffix(b"=m"))?;
            Some(name.to_vec())
        };
        Self(text.split(|&byte| byte == b'\n').filter_map(option).collect())
    }

    /// Whether an option is set; its name is without `CONFIG_`.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.0.contains(option.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_set() {
        let config = Config::parse(b"CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D=\"y\"\nCONFIG_E=n");
        let set = ["A", "B", "C", "D", "E"].map(|option| config.has(option));
        assert_eq!(set, [true, false, true, false, false]);
    }
}
