use jamf::CONNECTION;
use pipeline::{Default, Input, Output, Spec, join, keys};

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 15] = [
    Input::optional(keys::PKG_NAME, "File name that the record names; by default the last part of pkg_path."),
    Input::optional(keys::PKG_PATH, "Local package file. Only its name is looked at."),
    Input::optional(keys::PKG_DISPLAY_NAME, "Display name. A new record gets the file name by default.")
        .also(&["display_name"]),
    Input::optional(keys::PKG_CATEGORY, "Category by name, capitals count; empty for none.")
        .also(&["category"]),
    Input::optional(keys::PKG_INFO, "Info text, shown to administrators.").also(&["info"]),
    Input::optional(keys::PKG_NOTES, "Notes.").also(&["notes"]),
    Input::optional(keys::PKG_PRIORITY, "Priority, 1 to 20. Jamf Pro gives a new record 10.")
        .also(&["priority"]),
    Input::optional(keys::REBOOT_REQUIRED, "Whether computers restart after installation."),
    Input::optional(keys::FILL_USER_TEMPLATE, "Fill user template; true for a .dmg only."),
    Input::optional(keys::FILL_EXISTING_USERS, "Fill existing users; true for a .dmg only."),
    Input::optional(keys::OS_REQUIREMENTS, "Operating systems, such as 14.x, 15.x."),
    Input::optional(keys::REQUIRED_PROCESSOR, "None, ppc or x86. Classic API."),
    Input::optional(keys::SEND_NOTIFICATION, "Whether a notification is sent. Classic API."),
    Input::with_default(
        keys::CREATE_CATEGORY,
        Default::Flag(false),
        "Create the category when there is none of that name.",
    ),
    Input::with_default(
        keys::RECORD_ONLY,
        Default::Flag(false),
        "The file lies on another distribution point: make the record, look at no file.",
    ),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

pub(crate) static SPEC: Spec = Spec {
    name: "package-metadata",
    summary: "creates or updates the package record; only fields that the recipe names change",
    docs: "\
Finds the package record by its file name and makes the fields that the recipe names hold what it says. Fields that are \
not named keep what they hold. If nothing differs, nothing is written.

A record that is not there is created. With several records for one file, or a display name that another record has, \
nothing is guessed: the step fails and names the records. A category must exist, unless create_category is true. All of \
this is found out while planning, before an earlier step sends its first byte.

An entry counts as named wherever it is set: in Arguments, in Input, with -k. An empty pkg_category means none; an empty \
pkg_info, pkg_notes or os_requirements blanks the field.

required_processor and send_notification exist in the Classic API only and are written there.",
    writes: true,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::PKG_METADATA_UPDATED, "Whether this run changes the record."),
        Output::applied(keys::PACKAGE_ID, "Id of the record. Known while planning if the record is there."),
    ],
};
