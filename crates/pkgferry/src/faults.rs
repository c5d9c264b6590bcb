use sandbox::Fault;

/// The faults that the rehearsal server can play, for `--help`.
pub fn help() -> String {
    let width = Fault::ALL.iter().map(|info| info.to_string().len()).max().unwrap_or_default();
    let mut text = "Faults (once, unless it says always):".to_owned();
    for info in Fault::ALL {
        text.push_str(&format!("\n  {:<width$}  {}", info.to_string(), info.summary));
        if let Some(number) = info.number {
            text.push_str(&format!(" [default: {}]", number.default));
        }
    }
    text
}
