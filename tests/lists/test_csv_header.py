"""The header of a list: which names are taken how, what a mapping changes, and whose exports are recognized."""

from pathlib import Path

import pytest

from newsletter.errors import MistakesError
from newsletter.lists.column_words import sure_column
from newsletter.lists.csv_import import read_list
from newsletter.lists.export_formats import FORMATS
from newsletter.lists.leavers import UnclearColumnsError
from newsletter.model.audience import SuppressionReason
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

    assert (column.use, column.is_left_out) == ("who left", False)


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
    ],
)
def test_exports_of_other_tools_are_recognized(tmp_path: Path, tool: str, content: str, row: dict[str, str]) -> None:
    assert shape_of(tmp_path, content).header.tool == tool
    assert only_row(tmp_path, content) == {"email": "ana@example.org", **row}


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        (
            f"{MAILCHIMP_LEFT}\nana@example.org,,,,,,,,,,,,,,,,2018-07-23 12:19:27,,,,,,,,\n",
            SuppressionReason.UNSUBSCRIBED,
            "UNSUB_TIME is '2018-07-23 12:19:27'",
        ),
        (
            f"{MAILCHIMP_CLEANED}\nana@example.org,,,,,,,,,,,,,,,,2020-03-23 17:30:05,,,,,,\n",
            SuppressionReason.BOUNCED,
            "CLEAN_TIME is",
        ),
        (
            "email,active_subscription,email_disabled\nana@example.org,false,true\n",
            SuppressionReason.UNSUBSCRIBED,
            "email_disabled is 'true'",
        ),
        (
            "email,subscribed_to_emails,deleted_at\nana@example.org,,\n",
            SuppressionReason.UNSUBSCRIBED,
            "subscribed_to_emails is empty",
        ),
        (
            "email,subscribed_to_emails,deleted_at\nana@example.org,true,2024-01-01\n",
            SuppressionReason.UNSUBSCRIBED,
            "deleted_at is '2024-01-01'",
        ),
        (
            "uuid,email,attributes,status\nu,ana@example.org,,blocklisted\n",
            SuppressionReason.UNSUBSCRIBED,
            "status is 'blocklisted'",
        ),
        ("email,creation_date,type,metadata\nana@example.org,,unactivated,\n", None, "type is 'unactivated'"),
        (
            "email,creation_date,type,metadata\nana@example.org,,excited,\n",
            SuppressionReason.IN_DOUBT,
            "type is 'excited'",
        ),
        (
            "EMAIL;EMAIL_BLACKLISTED\nana@example.org;Yes\n",
            SuppressionReason.UNSUBSCRIBED,
            "EMAIL_BLACKLISTED is 'Yes'",
        ),
        (
            "first_name,email,created_at,status\n,ana@example.org,,Complained\n",
            SuppressionReason.COMPLAINED,
            "status is 'Complained'",
        ),
    ],
)
def test_rows_of_those_who_left_are_not_imported(
    tmp_path: Path, content: str, reason: SuppressionReason | None, told: str
) -> None:
    batches = read(tmp_path, content)

    assert rows_of(batches) == []
    (row,) = batches[0].leaving
    assert (row.email, row.reason) == ("ana@example.org", reason)
    assert told in row.told


def test_a_column_that_is_renamed_is_still_judged_by_its_cells(tmp_path: Path) -> None:
    content = "email,status\nana@example.org,cancelled\nbo@example.org,\ncy@example.org,shipped\n"
    assert len(rows_of(read(tmp_path, content, mapping={"status": "order"}))) == 3

    with pytest.raises(UnclearColumnsError, match="the column 'status' may say who unsubscribed"):
        read(tmp_path, content.replace("shipped", "deleted"), mapping={"status": "order"})


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
    header = ",".join([*LIST_COLUMNS, "creation_date", "surname", "type"])

    row = only_row(tmp_path, f"{header}\nana@example.org{',' * (len(LIST_COLUMNS) - 1)},1,Lima,board\n")

    assert row["attributes"] == '{"creation_date":"1","surname":"Lima","type":"board"}'


def test_table_of_formats_names_columns_of_ours_only() -> None:
    targets = {target for form in FORMATS for targets in form.columns.values() for target in targets}

    assert targets - {"", "json", "country", "region", "active_subscription"} <= set(LIST_COLUMNS)


def test_every_format_is_recognized_by_each_of_its_sets_of_columns(tmp_path: Path) -> None:
    for form in FORMATS:
        for columns in form.known_by:
            has_email = any(sure_column(name) == "email" or "email" in form.columns.get(name, ()) for name in columns)
            email = [] if has_email or "email" in map(str.lower, columns) else ["Email Address"]
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


GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,Name Prefix,"
    "Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,"
    "Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value"
)
OLD_GOOGLE = (
    "Name,Given Name,Additional Name,Family Name,Birthday,Notes,Language,Photo,Group Membership,E-mail 1 - Type,"
    "E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value"
)
OUTLOOK_COM = (
    "First Name,Middle Name,Last Name,Title,Nickname,E-mail Address,E-mail 2 Address,E-mail 3 Address,Home Phone,"
    "Birthday,Personal Web Page,Spouse,Notes,Categories"
)
OUTLOOK = (
    '"Title","First Name","Middle Name","Last Name","Company","Home Phone","Birthday","Categories","E-mail Address",'
    '"E-mail Type","E-mail Display Name","E-mail 2 Address","Gender","Language","Notes","Priority","Private"'
)
OUTLOOK_IN_FRENCH = (
    '"Titre","Prénom","Nom","Anniversaire","Adresse de messagerie","Type de messagerie","Catégories","Notes"'
)
OUTLOOK_IN_GERMAN = '"Anrede","Vorname","Nachname","Geburtstag","E-Mail-Adresse","E-Mail-Typ","Kategorien","Notizen"'


@pytest.mark.parametrize(
    ("tool", "header", "row"),
    [
        (
            "Google Contacts",
            GOOGLE,
            'Ana,,Lima,,,,,,,,Bank,,,1980-01-01,"two\nlines",https://example.com/a.jpg,'
            '"* myContacts ::: Bristol, UK ::: VIP",* Work,ana@example.org ::: ana@example.net,Home,x@example.org,,1',
        ),
        (
            "Google Contacts",
            OLD_GOOGLE,
            'Ana Lima,Ana,,Lima,1980-01-01,likes tea,pt,,"Bristol, UK ::: * Starred ::: VIP",* ,ana@example.org,,1',
        ),
        ("Outlook", OUTLOOK_COM, 'Ana,,Lima,Ms,,ana@example.org,x@example.org,,1,1/2/80,,Bo,No,"VIP;""Bristol, UK"""'),
        ("Outlook", OUTLOOK_COM, 'Ana,,Lima,,,ana@example.org,,,1,,,,,"myContacts;VIP;starred;""Bristol, UK"""'),
        (
            "Outlook",
            OUTLOOK,
            ',Ana,,Lima,,1,0/0/00,"VIP;""Bristol, UK""",ana@example.org,SMTP,Ana,,Unspecified,,,Normal,False',
        ),
        ("Outlook", OUTLOOK_IN_FRENCH, 'Mme,Ana,Lima,1/2/80,ana@example.org,SMTP,"VIP;""Bristol, UK""",amie de Bo'),
        ("Outlook", OUTLOOK_IN_GERMAN, 'Frau,Ana,Lima,1.2.80,ana@example.org,SMTP,"VIP;""Bristol, UK""",Chorleiterin'),
    ],
)
def test_of_contacts_only_name_address_and_labels_are_taken(tmp_path: Path, tool: str, header: str, row: str) -> None:
    content = f"{header}\n{row}\n"

    assert shape_of(tmp_path, content).header.tool == tool
    assert only_row(tmp_path, content) == {
        "email": "ana@example.org",
        "first_name": "Ana",
        "last_name": "Lima",
        "tags": "|bristol, uk|vip|",
    }


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        (OLD_GOOGLE, "Ana Lima,Ana,,Lima,,unsubscribed,pt,,,,ana@example.org,,1", "Notes"),
        (
            OLD_GOOGLE,
            'Ana Lima,Ana,,Lima,,,pt,,"* myContacts ::: Unsubscribed",,ana@example.org,,1',
            "Group Membership",
        ),
        (OUTLOOK_IN_FRENCH, "Mme,Ana,Lima,,ana@example.org,SMTP,,elle s’est désinscrite en mars", "Notes"),
        (OUTLOOK_IN_GERMAN, 'Frau,Ana,Lima,,ana@example.org,SMTP,"VIP;Abgemeldet",', "Kategorien"),
        (f"{OLD_GOOGLE},Opt-out?,Left", "Ana Lima,Ana,,Lima,,,pt,,,,ana@example.org,,1,,2020", "Left"),
    ],
)
def test_contacts_whose_notes_or_labels_speak_of_leaving_are_asked_about(
    tmp_path: Path, header: str, row: str, column: str
) -> None:
    content = f"{header}\n{row}\n"

    assert f"{column!r} may say who unsubscribed" in complaint_about(tmp_path, content)
    assert only_row(tmp_path, content, mapping={column: ""})["email"] == "ana@example.org"


def test_column_of_contacts_is_taken_if_it_is_mapped(tmp_path: Path) -> None:
    content = f"{OLD_GOOGLE}\nAna Lima,Ana,,Lima,,,pt,,,,ana@example.org,,1\n"

    assert only_row(tmp_path, content, mapping={"Language": "language"})["language"] == "pt"


def test_contact_without_an_address_is_rejected(tmp_path: Path) -> None:
    (batch,) = read(tmp_path, f"{OLD_GOOGLE}\nBob,Bob,,,,,,,,,,Mobile,1\n")

    assert [row.reason for row in batch.rejected] == ["the address is missing"]


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        ("E-mail kind,Reach me at,Name\n* Work,ana@example.org,Ana", '--map "Reach me at=email"'),
        ("Mail to post,Kontakt\nStreet 1,ana@example.org", '--map "Kontakt=email"'),
        ("Name,Phone\nAna,1", '--map "Email Address=email"'),
    ],
)
def test_remedy_names_the_column_that_holds_addresses(tmp_path: Path, header: str, remedy: str) -> None:
    told = complaint_about(tmp_path, f"{header}\n")

    assert "there is no column named email" in told
    assert remedy in told


@pytest.mark.parametrize(
    "text",
    [
        "Mitgliederliste 2025;;\nName;Email;Ort\nAna;ana@example.org;Lima\n",
        "Mitgliederliste 2025\nName;E-Mail;Ort\nAna;ana@example.org;Lima\n",
        "Members, as of May\nname;email\nAna;ana@example.org\n",
        "Export for office@example.org;;\nName;Email;Ort\nAna;ana@example.org;Lima\n",
        "Mitgliederliste 2025;;\n\nAna;ana@example.org;Lima\n",
    ],
)
def test_title_above_the_names_is_called_that(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)

    with pytest.raises(MistakesError) as raised:
        list(read_list(path))

    assert "the first line does not name the columns; delete the lines above the names" in str(raised.value)
    assert "--map" not in str(raised.value)


def test_cell_called_email_beside_an_address_is_no_name(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Name,Contact,By\nAna,ana@example.org,Email\n")

    with pytest.raises(MistakesError, match="the column 'Contact' contains addresses; to use it, add --map \"Contact="):
        list(read_list(path))


@pytest.mark.parametrize("extra", ["", ",timezone", ",joined_at,tags"])
def test_list_with_some_names_of_ours_is_no_export_of_ours(tmp_path: Path, extra: str) -> None:
    text = f"email,consented_at,consent_basis,Vorname{extra}\nana@example.org,,member,Ana{',' * extra.count(',')}\n"

    assert only_row(tmp_path, text)["first_name"] == "Ana"


@pytest.mark.parametrize(
    "columns",
    [
        ("email", "consented_at", "consent_basis", "first_name"),
        ("email", "first_name", "status", "left_at", "left_topics"),
        tuple(name for name in LIST_COLUMNS if name != "timezone"),
    ],
)
def test_name_with_a_web_address_is_a_doubt_unless_the_list_is_our_whole_export(
    tmp_path: Path, columns: tuple[str, ...]
) -> None:
    cells = {"email": "ana@example.org", "first_name": "http://evil.example win"}
    path = tmp_path / "list.csv"
    path.write_text(",".join(columns) + "\n" + ",".join(cells.get(name, "") for name in columns) + "\n")

    (batch,) = read_list(path)

    assert list(batch.columns["first_name"]) == [""]
    assert "contains a web address" in batch.doubtful[0].doubt
