"""The header of a list: which names are taken how, what a mapping changes, and whose exports are recognized."""

from pathlib import Path

import pytest

from newsletter.lists.export_formats import FORMATS, letters_of
from newsletter.model.columns import LIST_COLUMNS
from tests.lists.test_csv_import import complaint_about, only_row, read, rows_of, shape_of

MAILCHIMP = (
    "Email Address,First Name,Last Name,Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
MAILCHIMP_LEFT = MAILCHIMP.replace(
    "LAST_CHANGED", "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
)
MAILCHIMP_CLEANED = MAILCHIMP.replace("LAST_CHANGED", "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID")
SENDGRID = (
    "EMAIL,FIRST_NAME,LAST_NAME,ADDRESS_LINE_1,ADDRESS_LINE_2,CITY,STATE_PROVINCE_REGION,POSTAL_CODE,COUNTRY,"
    "ALTERNATE_EMAILS,PHONE_NUMBER,WHATSAPP,LINE,FACEBOOK,UNIQUE_NAME,CREATED_AT,UPDATED_AT,CONTACT_ID"
)


def test_known_columns_are_known_by_their_letters(tmp_path: Path) -> None:
    row = only_row(tmp_path, "E-Mail,FIRSTNAME,Last name,Time-Zone\nana@example.org,Ana,Lima,Europe/Paris\n")

    assert row == {
        "email": "ana@example.org",
        "first_name": "Ana",
        "last_name": "Lima",
        "timezone": "Europe/Paris",
    }


def test_attributes_are_named_in_plain_letters(tmp_path: Path) -> None:
    row = only_row(tmp_path, "email,Größe (EU),Où habitez-vous ?\nana@example.org,38,Lyon\n")

    assert row["attributes"] == '{"grosse_eu":"38","ou_habitez_vous":"Lyon"}'


def test_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    content = "email,,country,\nana@example.org,x,BR,\n"

    assert only_row(tmp_path, content)["attributes"] == '{"country":"BR"}'
    columns = shape_of(tmp_path, content).header.columns
    assert [column.use for column in columns] == ["email", "left out", "attribute country", "left out"]
    assert [column.is_left_out for column in columns] == [False, True, False, True]


def test_column_that_only_says_who_may_be_emailed_is_not_left_out(tmp_path: Path) -> None:
    content = "email,active_subscription,email_disabled\nana@example.org,false,false\n"

    column = shape_of(tmp_path, content).header.columns[-1]

    assert (column.use, column.is_left_out) == ("whether they may be emailed", False)


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("first_name,last_name", "there is no column named email"),
        ("email,陽子", "the column '陽子' needs a name"),
        ("email,2nd", "the column '2nd' needs a name"),
        (
            "email,unsubscribe_url",
            "cannot be named unsubscribe_url, because that name is reserved; add --map",
        ),
        ("email,and", "cannot be named and, because that name is reserved"),
        ("email,Email", "the columns 'email' and 'Email' are both read as email"),
        ("email,Shoe size,shoe-size", "are both read as shoe_size"),
        (f"email,{'long ' * 50}", "longer than 100 characters"),
        (",".join(["email", *(f"c{n}" for n in range(1000))]), "the file has 1,001 columns, and the limit is 1,000"),
    ],
)
def test_impossible_header_is_a_mistake_with_its_line(tmp_path: Path, header: str, what: str) -> None:
    message = complaint_about(tmp_path, f"\n{header}\nana@example.org,,\n")

    assert "list.csv:2: " in message
    assert what in message


def test_all_mistakes_of_a_header_are_reported_at_once(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, "陽子,and\n", mapping={"nam": "first_name"})

    assert len(message.splitlines()) == 4


def test_million_columns_are_refused(tmp_path: Path) -> None:
    assert "1,000,000 columns" in complaint_about(tmp_path, "a," * 999_999 + "a\n")


def test_mapping_takes_a_column_for_ours_for_an_attribute_or_for_nothing(tmp_path: Path) -> None:
    row = only_row(
        tmp_path,
        "Adresse,Prénom,Ville,Notes\nana@example.org,Ana,Lyon,secret\n",
        mapping={"Adresse": "email", "PRÉNOM": "First name", "Ville": "city", "Notes": ""},
    )

    assert row == {"email": "ana@example.org", "first_name": "Ana", "attributes": '{"city":"Lyon"}'}


def test_mapping_of_a_column_that_is_not_there_suggests_another(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, "Email Address\nana@example.org\n", mapping={"Email Adress": "email"})

    assert "--map names the column 'Email Adress', which is not in the file; write --map" in message


def test_mapping_to_a_misspelled_column_of_ours_suggests_it(tmp_path: Path) -> None:
    message = complaint_about(tmp_path, "email,Prénom\na@example.org,\n", mapping={"Prénom": "frist_name"})

    assert "the unknown name 'frist_name'; write --map" in message


def test_mapping_to_a_name_that_no_attribute_can_have_is_a_mistake(tmp_path: Path) -> None:
    assert "needs a name" in complaint_about(tmp_path, "email,x\na@example.org,\n", mapping={"x": "größe"})


def test_mapping_saves_a_header_that_would_be_refused(tmp_path: Path) -> None:
    mapping = {"陽子": "", "2nd": "second", "Email": ""}

    row = only_row(tmp_path, "email,Email,2nd,陽子\nana@example.org,old,x,y\n", mapping=mapping)

    assert row == {"email": "ana@example.org", "attributes": '{"second":"x"}'}


@pytest.mark.parametrize(
    ("tool", "content", "row"),
    [
        (
            "Mailchimp",
            f'{MAILCHIMP}\nana@example.org,Ana,Lima,,2,"2018-02-12 10:54:27",203.0.113.7,"2018-02-12 10:59:01",,48.85,'
            '2.35,1,1,Europe/Paris,FR,75,"2018-02-12 10:59:01",90498395,810826c56e,,"""Editors"",""Blog"""\n',
            {
                "first_name": "Ana",
                "last_name": "Lima",
                "timezone": "Europe/Paris",
                "tags": "|blog|editors|",
                "joined_at": "2018-02-12T10:54:27Z",
                "consented_at": "2018-02-12T10:54:27Z",
                "consent_confirmed_at": "2018-02-12T10:59:01Z",
                "consent_source": "Mailchimp",
                "attributes": '{"country":"FR","region":"75"}',
            },
        ),
        (
            "Substack",
            "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
            "ana@example.org,false,,other,false,2024-01-15T10:00:00.000Z,\n",
            {"joined_at": "2024-01-15T10:00:00Z", "attributes": '{"active_subscription":"false","plan":"other"}'},
        ),
        (
            "Substack",
            "Email,Name,Subscription type,Activity,Subscription date,Comments (all time),Subscriber country\n"
            'ana@example.org,Ana Lima,Free,4,"Jan 15, 2024, 10:00 PM",0,BR\n',
            {
                "joined_at": "2024-01-15T22:00:00Z",
                "attributes": '{"activity":"4","comments_all_time":"0","country":"BR","name":"Ana Lima",'
                '"subscription_type":"Free"}',
            },
        ),
        (
            "Ghost",
            "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,"
            'tiers\nm1,ana@example.org,Ana Lima,"VIP, early",true,false,cus_1,2024-01-15T10:00:00.000Z,,"a,b",\n',
            {
                "tags": "|a|b|",
                "joined_at": "2024-01-15T10:00:00Z",
                "attributes": '{"complimentary_plan":"false","name":"Ana Lima","note":"VIP, early"}',
            },
        ),
        (
            "listmonk",
            "uuid,email,name,attributes,status,created_at,updated_at\n"
            'u1,ana@example.org,Ana,"{""city"": ""Lyon"", ""age"": 38, ""of"": [1, 2], ""nil"": null}",enabled,'
            "2020-02-03 04:05:06.789012 +0100 CET,2020-02-03 04:05:06.789012 +0000 UTC\n",
            {
                "joined_at": "2020-02-03T03:05:06Z",
                "attributes": '{"age":"38","city":"Lyon","name":"Ana","of":"[1,2]"}',
            },
        ),
        (
            "Buttondown",
            "email_address,notes,metadata,tags,type,creation_date,source\n"
            'ana@example.org,,"{""plan"": ""a""}","x,y",regular,2024-01-15T10:00:00.123456Z,api\n',
            {
                "tags": "|x|y|",
                "joined_at": "2024-01-15T10:00:00Z",
                "attributes": '{"plan":"a","source":"api"}',
            },
        ),
        (
            "SendGrid",
            f"{SENDGRID}\nana@example.org,Ana,Lima,,,Lyon,,,FR,,,,,,,2024-01-15T10:00:00Z,2024-01-16T10:00:00Z,c-1\n",
            {
                "first_name": "Ana",
                "last_name": "Lima",
                "joined_at": "2024-01-15T10:00:00Z",
                "attributes": '{"city":"Lyon","country":"FR"}',
            },
        ),
        (
            "Brevo",
            "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n"
            "ana@example.org;Lima;Ana;33611111111;No;No;03-04-2022 09:30;13-04-2022 10:00\n",
            {
                "first_name": "Ana",
                "last_name": "Lima",
                "joined_at": "2022-04-03T09:30:00Z",
                "attributes": '{"sms":"33611111111"}',
            },
        ),
        (
            "Kit",
            "id,first_name,email,created_at,status,tags,Shoe Size\n"
            '7,Ana,ana@example.org,2022-09-10T11:12:13Z,active,"a, b",38\n',
            {
                "first_name": "Ana",
                "tags": "|a|b|",
                "joined_at": "2022-09-10T11:12:13Z",
                "attributes": '{"shoe_size":"38"}',
            },
        ),
    ],
)
def test_exports_of_other_tools_are_recognized(tmp_path: Path, tool: str, content: str, row: dict[str, str]) -> None:
    assert shape_of(tmp_path, content).header.tool == tool
    assert only_row(tmp_path, content) == {"email": "ana@example.org", **row}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            f"{MAILCHIMP_LEFT}\nana@example.org,,,,,,,,,,,,,,,,2018-07-23 12:19:27,,,,,,,,\n",
            "unsubscribed in Mailchimp (UNSUB_TIME 2018-07-23 12:19:27)",
        ),
        (
            f"{MAILCHIMP_CLEANED}\nana@example.org,,,,,,,,,,,,,,,,2020-03-23 17:30:05,,,,,,\n",
            "bounced in Mailchimp (CLEAN_TIME",
        ),
        ("email,active_subscription,email_disabled\nana@example.org,false,true\n", "email was turned off in Substack"),
        ("email,subscribed_to_emails,deleted_at\nana@example.org,false,\n", "unsubscribed in Ghost"),
        ("email,subscribed_to_emails,deleted_at\nana@example.org,true,2024-01-01\n", "deleted in Ghost"),
        ("uuid,email,attributes,status\nu,ana@example.org,,blocklisted\n", "blocklisted in listmonk"),
        ("email,creation_date,type\nana@example.org,,unactivated\n", "not confirmed in Buttondown"),
        ("EMAIL;EMAIL_BLACKLISTED\nana@example.org;Yes\n", "blocklisted in Brevo"),
        ("first_name,email,created_at,status\n,ana@example.org,,cancelled\n", "unsubscribed in Kit"),
        ("first_name,email,created_at,status\n,ana@example.org,,Complained\n", "complained about an email in Kit"),
        ("email,status\nana@example.org,Unsubscribed\n", "unsubscribed (status Unsubscribed)"),
        ("email,status\nana@example.org,Opted out\n", "unsubscribed (status Opted out)"),
        ("email,Unsubscribed at\nana@example.org,2025-01-02\n", "unsubscribed (unsubscribed_at 2025-01-02)"),
        ("email,Opt-out\nana@example.org,yes\n", "unsubscribed (opt_out yes)"),
    ],
)
def test_those_who_must_not_be_mailed_are_rejected(tmp_path: Path, content: str, reason: str) -> None:
    batches = read(tmp_path, content)

    assert rows_of(batches) == []
    assert reason in batches[0].rejected[0].reason


def test_unknown_status_is_doubtful(tmp_path: Path) -> None:
    batches = read(tmp_path, "email,creation_date,type\nana@example.org,,excited\n")

    assert "type excited is not a known value in Buttondown" in batches[0].doubtful[0].doubt


def test_status_that_is_mapped_is_only_an_attribute(tmp_path: Path) -> None:
    row = only_row(tmp_path, "email,status\nana@example.org,cancelled\n", mapping={"status": "order"})

    assert row["attributes"] == '{"order":"cancelled"}'


def test_opt_in_that_mailchimp_does_not_know_is_no_consent(tmp_path: Path) -> None:
    row = only_row(tmp_path, f"{MAILCHIMP}\nana@example.org,,,,2,,,2015-03-16 14:40:47,,,,,,,,,,,,,\n")

    assert row == {"email": "ana@example.org", "consent_confirmed_at": "2015-03-16T14:40:47Z"}


def test_attribute_that_is_no_json_or_has_no_possible_name_is_left_out_and_said(tmp_path: Path) -> None:
    batches = read(
        tmp_path,
        "uuid,email,attributes,status\nu,a@example.org,{oops,enabled\n"
        'v,b@example.org,"{""and"": 1, ""firstname"": ""B"", ""ok"": ""x\\ny""}",enabled\n',
    )

    assert [row.get("attributes") for row in rows_of(batches)] == [None, '{"ok":"x y"}']
    assert [row.doubt for row in batches[0].doubtful] == [
        "attributes: it is not a JSON object; skipped",
        "attributes: no attribute can be called 'and', 'firstname'; skipped",
    ]


def test_our_own_export_is_no_other_tool_s_whatever_its_attributes(tmp_path: Path) -> None:
    header = ",".join([*LIST_COLUMNS, "creation_date", "status", "surname", "type"])

    row = only_row(tmp_path, f"{header}\nana@example.org{',' * (len(LIST_COLUMNS) - 1)},1,unsubscribed,Lima,removed\n")

    assert row["attributes"] == '{"creation_date":"1","status":"unsubscribed","surname":"Lima","type":"removed"}'


def test_table_of_formats_names_columns_of_ours_only() -> None:
    targets = {target for form in FORMATS for targets in form.columns.values() for target in targets}

    assert targets - {"", "json", "country", "region"} <= set(LIST_COLUMNS)


def test_every_format_is_recognized_by_each_of_its_sets_of_columns(tmp_path: Path) -> None:
    for form in FORMATS:
        for columns in form.known_by:
            email = [] if any(letters_of(name) in {"email", "emailaddress"} for name in columns) else ["Email Address"]
            assert shape_of(tmp_path, ",".join([*columns, *email]) + "\n").header.tool == form.tool


def test_two_columns_of_one_name_are_told_to_be_named_otherwise(tmp_path: Path) -> None:
    told = complaint_about(tmp_path, "email,name,name\nana@example.org,Ana,Lima\n")

    assert "are both read as name; in the first line, rename one of the columns, or delete that column" in told


def test_list_without_names_of_columns_is_told_so(tmp_path: Path) -> None:
    told = complaint_about(tmp_path, "ana@example.org,Ana\nbo@example.org,Bo\n")

    assert (
        "the first line contains an address instead of the names of the columns; insert a first line with the names"
        in told
    )
