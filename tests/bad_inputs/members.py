"""Members that nobody asked for, that look like the store's own, or that lack something (contracts 1.4 and 1.6)."""

from typing import Any, Final

from tests.bad_inputs.cases import Maker, Place, create, named, raw

OURS: Final = (  # of the document, the ledger, and of other systems' documents
    "_id", "dialect", "tenant", "refs", "lookup_keys", "idempotency_key", "record_key", "status", "customer",
    "currency", "totals", "placed_at", "deleted_at", "revision", "sequence", "history", "warnings", "body", "ledger",
    "__v", "rev", "schema", "_class",
)  # fmt: skip
PROTO: Final = ("__proto__", "constructor", "prototype", "__class__", "toString", "hasOwnProperty")
NOT_NULLABLE: Final = ("billingAddress", "cancelled", "email", "id", "orderLines", "totalItems")


def free_map(value: Any, *problems: Place) -> Maker:  # noqa: ANN401  # any JSON
    """An order with this in a free map."""
    return create({"metadata": value}, *problems, of="configurator")


def open_object(value: Any, *problems: Place) -> Maker:  # noqa: ANN401  # any JSON
    """An order with this in an open object."""
    return create({"shipTo": [{"shipToId": 1, "address": value}]}, *problems, of="subscription")


def unknown(*names: str) -> Maker:
    """An order with members that its dialect does not have."""
    return create(dict.fromkeys(names, 1), *(("FIELD_UNKNOWN", name) for name in names))


CASES: Final = named(
    "members",
    {
        "dollar_top": unknown("$where", "$set", "$inc"),
        "dotted_top": create({"a.b": 1, "$": 1}, ("FIELD_UNKNOWN", "*"), ("FIELD_UNKNOWN", "$")),
        "mass_assign": unknown(*OURS),
        "proto": unknown(*PROTO),
        "extra_field": unknown("unheardOf"),
        "extra_deep_inside": create(
            {"orderLines": [{"appliedDiscounts": [{"$inc": 1}]}]},
            ("FIELD_UNKNOWN", "orderLines[0].appliedDiscounts[0].$inc"),
        ),
        "other_case": unknown("OrderRef", "ORDERREF"),
        "blanks_around": create({" id ": "7", "id\n": "8"}, ("FIELD_UNKNOWN", "*")),
        "look_alike": create({"\u0456d": "7"}, ("FIELD_UNKNOWN", "*")),
        "dollar_nested": free_map({"$gt": ""}, ("FIELD_FORMAT", "metadata.$gt")),
        "dollar_deep_inside": free_map({"a": [{"b": {"$set": 1}}]}, ("FIELD_FORMAT", "metadata.a[0].b.$set")),
        "dollar_alone": free_map({"$": 1}, ("FIELD_FORMAT", "metadata.$")),
        "dollar_later": free_map({"a$": 1, "a.$.b": 2, "a.$[].b": 3}),
        "dotted_key": free_map({"a.b": 1, ".": 2, "..": 3, "a.0.b": 4, "ledger.version": 5}),
        "empty_key": free_map({"": 1}, ("FIELD_FORMAT", "metadata.*")),
        "blank_key": free_map({" ": 1, "\t": 2, "\u200b": 3}),
        "nul_in_key": free_map({"a\0b": 1}, ("FIELD_FORMAT", "metadata.*")),
        "nul_alone": free_map({"\0": 1}, ("FIELD_FORMAT", "metadata.*")),
        "nul_deep_inside": free_map({"a": {"b": [{"\0": 1}]}}, ("FIELD_FORMAT", "metadata.a.b[0].*")),
        "key_of_256": free_map({"\N{MUSICAL SYMBOL G CLEF}" * 256: 1}),
        "key_of_257": free_map({"k" * 257: 1}, ("FIELD_FORMAT", "metadata.*")),
        "key_of_500000": free_map({"k" * 500_000: 1}, ("FIELD_FORMAT", "metadata.*")),
        "proto_in_a_map": free_map({key: {"polluted": True} for key in PROTO}),
        "ours_in_a_map": free_map({key: {"_id": 1} for key in OURS}),
        "extended_json": free_map({"a": {"oid": "x"}, "b": {"$oid": "0" * 24}}, ("FIELD_FORMAT", "metadata.b.$oid")),
        "dbref": free_map(
            {"$ref": "orders", "$id": 1}, ("FIELD_FORMAT", "metadata.$ref"), ("FIELD_FORMAT", "metadata.$id")
        ),
        "email_as_key": free_map({"$avery@example.com": 1}, ("FIELD_FORMAT", "metadata.*")),
        "map_is_a_list": free_map([["a", 1]], ("FIELD_TYPE", "metadata")),
        "dollar_in_a_derivative": create(
            {"derivative": {"$or": []}}, ("FIELD_FORMAT", "derivative.$or"), of="configurator"
        ),
        "dollar_in_old_items": create({"items": [{"$in": []}]}, ("FIELD_FORMAT", "items[0].$in"), of="configurator"),
        "open_object": open_object({"anything": {"a.b": [None, True, 1, 0.5, "x", {"__proto__": {}}]}}),
        "dollar_in_an_open_object": open_object({"$where": "1"}, ("FIELD_FORMAT", "shipTo[0].address.$where")),
        "nul_in_an_open_object": open_object({"x": {"\0": 1}}, ("FIELD_FORMAT", "shipTo[0].address.x.*")),
        "known_member_of_an_open_object": open_object({"city": 7}, ("FIELD_TYPE", "shipTo[0].address.city")),
        "group_of_attributes_with_dollar": create(
            {"attributeGroups": {"$g": {"attributes": {"": {}}}}},
            ("FIELD_FORMAT", "attributeGroups.$g"),
            ("FIELD_FORMAT", "attributeGroups.$g.attributes.*"),
        ),
        "missing_field": raw(
            b'{"lineItems": []}',
            *(("FIELD_MISSING", name) for name in ("customer", "orderStatus", "paymentStatus")),
            ("RULE_VIOLATION", "billingAddress"),
            ("RULE_VIOLATION", "shippingAddressId"),
            of="b2b-commerce",
        ),
        "null_for_required": create({"customer": None}, ("FIELD_NULL", "customer"), of="b2b-commerce"),
        "null_everywhere": create(dict.fromkeys(NOT_NULLABLE), *(("FIELD_NULL", name) for name in NOT_NULLABLE)),
        "list_for_object": create({"billingAddress": []}, ("FIELD_TYPE", "billingAddress")),
        "object_for_list": create({"orderLines": {"0": {}}}, ("FIELD_TYPE", "orderLines")),
        "text_for_list": create({"orderLines": "[]"}, ("FIELD_TYPE", "orderLines")),
        "list_in_list": create({"orderLines": [[{}]]}, ("FIELD_TYPE", "orderLines[0]")),
        "null_in_list": create({"orderLines": [None]}, ("FIELD_NULL", "orderLines[0]")),
        "number_for_text": create({"email": 7}, ("FIELD_TYPE", "email")),
        "text_for_bool": create({"cancelled": "false"}, ("FIELD_TYPE", "cancelled")),
        "number_for_bool": create({"cancelled": 0}, ("FIELD_TYPE", "cancelled")),
    },
)
