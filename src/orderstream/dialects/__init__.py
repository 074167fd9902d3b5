"""The table of dialects: a sixth one is one file beside these, one line here, and its samples."""

from collections.abc import Mapping

from orderstream.dialect import Dialect
from orderstream.dialects import b2b_commerce, configurator, shopping_cart, subscription, wishlist

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        shopping_cart.DIALECT,
        configurator.DIALECT,
        subscription.DIALECT,
        b2b_commerce.DIALECT,
        wishlist.DIALECT,
    )
}
