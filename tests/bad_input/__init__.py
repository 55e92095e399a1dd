"""Bad input: every class, at every door, with one oracle.

The oracle (``oracle.py``): a typed error before the store is asked, which repeats no secret; or a message that two parsers,
which share no code with the composer, read as one mail with everything in it as it was given.

====================================  ====================================================================================
class                                 what tries it, besides ``test_any_mixture_is_refused_or_sound``
====================================  ====================================================================================
CR, LF, NUL, C0, C1, U+2028           service: test_hostile_text_is_refused_or_harmless; command line:
                                      test_hostile_text_is_told_in_one_line_or_done; settings:
                                      test_hostile_text_is_a_setting_or_a_named_problem; composer:
                                      test_a_control_character_in_a_header_is_refused
encoded-word smuggling                the first three; test_an_encoded_word_is_named, and the fuzzed ``message``
lone surrogates                       the first three; test_a_message_id_is_checked_before_a_boundary_is_made_of_it
bidi overrides, zero-width            the first three; test_what_is_shown_is_one_line
names with quotes, commas, ``@``      the first three; test_what_is_taken_arrives_as_it_was_given
lists, groups, comments, routes       the first three; test_other_forms_are_refused, and the fuzzed ``address``
quoted local parts, literals, dots    the first three; test_what_is_taken_arrives_as_it_was_given
limits (64, 63, 253, 254, octets)     the first three; test_one_octet_more_is_refused
IDN, SMTPUTF8                         the first three; test_what_is_taken_arrives_as_it_was_given
bodies: long lines, dots, NUL         the first three; test_both_readers_see_the_bodies_that_were_asked_for
header bombs                          test_what_no_mail_can_be_made_of_is_refused, test_a_header_bomb_is_refused
reserved header names                 test_hostile_text_is_refused_or_harmless: no caller names a header field
template names and variables          test_what_no_mail_can_be_made_of_is_refused, test_data_choose_no_template
JSON: NaN, NUL, depth, size           test_what_no_mail_can_be_made_of_is_refused, test_what_json_or_postgres_cannot_hold_is_refused;
                                      what is taken: test_what_is_taken_is_stored_and_read_back
idempotency key reused                test_the_same_key_is_one_mail_whenever_it_is_asked_for, test_another_code_under_the_same_key_is_a_conflict
times: naive, past, far; ttl          test_what_no_mail_can_be_made_of_is_refused, test_what_is_taken_is_stored_and_read_back
recipients: none, 1,000, twice        test_what_no_mail_can_be_made_of_is_refused, test_a_thousand_recipients_are_one_mail
letters of a bulk order               test_letters_are_checked_before_any_is_stored
what operators ask                    test_what_no_store_can_be_asked_is_named, test_an_id_is_no_text, test_an_age_is_between_nothing_and_a_century
settings: range, type, all at once    test_a_value_out_of_range_is_named, test_a_value_of_another_type_is_named,
                                      test_all_problems_are_named_at_once, test_all_that_is_wrong_is_told_at_once
log injection                         test_hostile_text_is_a_setting_or_a_named_problem, test_a_name_that_is_no_setting_is_told_in_one_line,
                                      test_hostile_text_is_told_in_one_line_or_done; what servers say:
                                      test_escaped_text_is_one_short_line_of_printable_ascii
====================================  ====================================================================================

Attachments and List-Unsubscribe cannot be ordered yet.
"""
