/** The server's findings about a request, each at the field that it is about. */

export interface FieldFault {
  field: string;
  problem: string;
}

/** `body.policy.mode` and `policy.mode` are the same place, and so are `rule.name` and `name`. */
export function placeOf(field: string): string {
  return field.replace(/^(body|query|path|rule)\.?/, "");
}

/** What is wrong at a place, or below it. */
export function faultsAt(faults: readonly FieldFault[], place: string): string[] {
  const found = faults.filter((fault) => {
    const at = placeOf(fault.field);
    return at === place || at.startsWith(`${place}.`);
  });
  return [...new Set(found.map((fault) => fault.problem))];
}

/** What is wrong with a thing of several fields itself, not with one of them that says so at its own place. */
export function ownFaultsAt(faults: readonly FieldFault[], place: string): string[] {
  return faultsAt(
    faults.filter((fault) => [place, `${place}.kind`, `${place}.of`].includes(placeOf(fault.field))),
    place,
  );
}

export function idOf(place: string): string {
  return `f-${place.replace(/[^a-zA-Z0-9]+/g, "-")}`;
}

type Pattern = [pattern: RegExp, key: string];

const PATTERNS: Pattern[] = [
  [/There is no (?:group|account) '(.+)' in this shop/, "no_such"],
  [/this is no YAML: it has characters/, "yaml_characters"],
  [/this is no YAML: (.+)/, "no_yaml"],
  [/more than one document/, "one_document"],
  [/anchors are not understood/, "anchors"],
  [/the tag (.+) is not understood/, "yaml_tag"],
  [/a key must be a word/, "key_word"],
  [/more than (\d+) levels deep/, "levels"],
  [/lose the right to change roles/, "own_roles"],
  [/^(.+) is missing, and still bound to/, "still_bound"],
  [/What (.+) may do cannot be changed/, "fixed_role"],
  [/a kind that this server does not take/, "file_kind"],
  [/cannot grant what you do not hold/, "not_held"],
  [/^(\S+) is missing: /, "role_missing"],
  [/there is no such date/, "no_date"],
  [/begins after its day/, "after_its_day"],
  [/the account is not in group (.+)/, "not_member"],
  [/hours of a holiday are for everybody/, "holiday_group"],
  [/There is no such member|Extra inputs are not permitted/, "no_member"],
  [/valid_from and valid_until are times/, "times"],
  [/Input should be '(.+)'$/, "one_of"],
  [/expected tags: '?(.+?)'?$/, "one_of"],
  [/greater than or equal to (-?\d+)/, "at_least"],
  [/less than or equal to (-?\d+)/, "at_most"],
  [/at least (\d+) characters?/, "long_enough"],
  [/at most (\d+) characters?/, "short_enough"],
  [/at least (\d+) items? after/, "enough"],
  [/at most (\d+) items? after/, "not_so_many"],
  [/should be a valid (?:integer|number)/, "number"],
  [/should be (?:a|an) (?:valid )?(?:string|boolean|dictionary|list|object|set|tuple|array)|Unable to extract tag/, "other_kind"],
  [/Field required/, "required"],
  [/should match pattern/, "form"],
  [/Not an IANA time zone/, "timezone"],
  [/nobody is on the list/, "offline_nobody"],
  [/The bot is on and has no account/, "bot_account"],
  [/The bot cannot answer later/, "bot_offline"],
  [/goes above any capacity/, "sticky_limit"],
  [/Longer than the time since the first payment/, "new_customer"],
  [/There is no group/, "no_group"],
  [/There is no account|There is nobody/, "no_account"],
  [/name somebody/, "nobody_named"],
  [/name exactly one receiver/, "one_receiver"],
  [/give at_least, at_most or both/, "bounds"],
  [/at_least is above at_most/, "bounds_swapped"],
  [/begins and until are the same/, "no_time"],
  [/each weekday at most once/, "weekdays"],
  [/name a tag to add or to remove/, "no_tag"],
  [/it would end before it begins/, "ends_first"],
  [/must have (\d+) to \d+ characters/, "password_long"],
  [/different characters/, "password_varied"],
  [/must not contain your name/, "password_name"],
  [/is named twice|is there twice|is bound to the same/, "twice"],
  [/archive it instead/, "archive_instead"],
  [/there is no tag to choose/, "no_result_tag"],
  [/must not be below stars_from/, "stars_swapped"],
  [/are offered with (\d) stars/, "too_many_reasons"],
  [/overlap/, "overlap"],
  [/longer than a day/, "longer_than_day"],
  [/must be in the future/, "future"],
  [/must not be below `warn`/, "wall_rises"],
  [/must not be above `warn`/, "wall_falls"],
  [/at most 100 percent/, "wall_percent"],
  [/ratings are 1 to 5/, "wall_stars"],
  [/this is never true|: never true/, "never_true"],
  [/there is no variable (\{[a-z_]+\})/, "no_variable"],
  [/must not contain spaces or strokes/, "no_spaces"],
  [/must not contain control characters/, "no_controls"],
  [/at most (\d+) folders deep/, "too_deep"],
  [/line (\d+) has the same shortcut/, "same_shortcut"],
  [/this column is missing/, "no_column"],
  [/this is no CSV/, "no_table"],
  [/there is nothing in it/, "nothing_in_it"],
];

/** The key of the sentence in the person's language, and its number; null: it is shown as the server says it. */
export function wordsFor(problem: string): { key: string; n: string } | null {
  for (const [pattern, key] of PATTERNS) {
    const found = pattern.exec(problem);
    if (found) return { key, n: found[1] ?? "" };
  }
  return null;
}
