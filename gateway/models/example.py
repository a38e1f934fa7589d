"""The requests that the API pages show. They work when pasted."""

# A real PNG with two lines of text, 560 x 150.
EXAMPLE_PNG_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAjAAAACWAgMAAAC9RVomAAAADFBMVEX///+/v78rKysAAAAa8zWcAAAINElEQVR42u2aT2gj"
    "1x3HP280kuzoMBNwwGvDag8bGrJl1VugMfJrDu0hpTHtOqTJQg3dQ7vp1ir0lEKtXPa4VSlNoDHEh01InJBVQg4+bFfP4FAK"
    "hYpCcjJ0YM3aywr6XNS1LI3m9TAjWZts1nY72/TwPgc9aWbezHd+/+Y9vQGLxWKxWCwWi8VisVgslq+S7BwA84MvXylFDSAM"
    "Xvt/d1HnGMeK+cRK8+cerihjzLuHWWbRRBJg2pgaeMZENYBiAIgo009TjGk+WEzeGNMGRMOYffCMMRGApwGnn4KYoZvu1Hni"
    "wYc+YV6rPwI8It/+WU6CeQ9RA0I3lp2imyTT0YMt09giZ6pQ2kc0mnhtRCMA8h0g30nTTRJh5IPEOEbCUgBLTSgFeG0otoFM"
    "CBTa6YqhUX2QmHwfKLZjzYU2XhsKHcDpA16QZswASg6yN/7Mzg9zWsLYHrAzhohUEidJYwTg63RjhlnFtImAgtkvamiY38aW"
    "KZlOksFOPw4Rp4/XTjyEAUrNlC0D4iqiBr8kV4W85Cfx1iZ5ySkNGAc3TK4/alH8esoVWJKTr6s5nOrbdQlP9F6KnZEzr6sa"
    "sg4YJSdCAPE5MVKlIMa95xbd/YvFT8lGL+U7u8x99vbjVYDJWxeLnx4clVgIiK2EehXkq5m0LTOxw47L5B5dENUKKwAsLLPj"
    "Jveu5GioxmK0D7MpPyiFVL4GF7+FqSKMYicWqehl79t7opWISacAj4iZihSaEOYCqJONoAcgZhX3v5ZYWQFopS6mYbb2uBWX"
    "PQUawkHSGDCCpDxLf9CjYKJvVpNqkw3THs8sc0eBSKLDHZxffHnv3jALUhEzzKY7ylRA/PRb9/HGKgiS3FXD+DXvP1bmkZXo"
    "hZ6L20pVzPMK4Oc1oi9oEfP37Xr3eacv/zrfxwgmdNpugnzNvE8SHe7hnaOqPMyR/4WYye4zL9znmkIIgZJxmmv/YE99ble4"
    "mPV0ngafE7OwreJkYiQkzbAmxh8+IPrDYgwoOafSFyNXvvxI5QPCKO1+wTFK8hDEJOeMb98duaZ4lyAWE49hsom5YpdpOfsQ"
    "YkaCmwwJCAdijABxDj0RiwizB0UocZN+9GGIiZOofgokPSfJKLMuEYbOODDZoetIiMcRhIllHjUPQYyCCdATiCpGSCYHITEW"
    "0nMkLLQwqgYLm6PdQj8kTeKZwVKTpT6FPvl/aBpNfm3w2pS2KAUHU5XFDsJU4wF5PFrP99qQ8uwASt0Xu31y5q1rb2oWuy/u"
    "GwqRLETPmyaUot9fi4Bp89ZiBF47mTJBxgSQMaurq++kKGbamH/2oWHMjzQFY/5lyBvpGBPJg+mtE7deGzKdZErVhIwxxoQp"
    "xsw2rADn6Sq4q1iGriKqcEvBfgXzXSBKWsBk7ymLKfPYueE8afADSJ6Ug79Ehn+NWCwWi8VisVgsFovFYrFYLPeQCQC4nsa5"
    "kr/RMsm7MEfDa0MpOOyoqa7k5dtxO7V/nPvrvrd/+O0nDV4HZoPDLLN0rSmihmTpWpMbo+9ZHMHYi/LoYq7Drw4TIzq5dn5r"
    "uik6ubazVQiOoOJgiWv5k28cWbsYrJA96Jidnusub/tip+dml/cmjh4zwN4pXr4NZ25TJhN4f9jJ3YbFq5SnbzNTZPEqzBSZ"
    "6kpgF2ZgcYtyCfgjZ7ZgqitLFALWytO3AbLabEwoM5HVZmNMmePlhGiLqFETUUOWyQTeB9HZhsx3+5RvGHmm63T7cKbL0rUt"
    "8N5E3AycKKJ8IxM4bRHduM7Sta2iLASiXb5hJJBXXC9BJ6+4Xjx2gnbyW/kgH0w3y2QCb6v0cbFarJZkOSiqTFBoLkoygdgX"
    "HfB+I52bQaFZkuVmJig080EhFPuiU5Qn20KXg6IChGTtLKwJydrZ2FhHdxNqbLk7Obay7QPQCr7emitWN6VY2fHBrdcl4Gyb"
    "y0AohcataEQFTlfGVvZwts3llkQJHXfAKDHDoP3xZ9XjiXF9ZTZ8ZWIxOtQhZcI5VLyqdEsBruZDIJRunQJaouCK8lUU75He"
    "htCDDoiWH6/ntfj++bnjicFTrHvKLMR2ApghTL6FCz0FuHW0hNB3Y3UGxFN4CuXW0TO+57p6uF45rgfto5XtU8cTE/qw7kM9"
    "+a3h26vvJKsUvZMyqQRagvFdBRc1QG4TP9nztD+z7h4kzunKsFXGPaZl7lMrhm9xdtfXRrYb31Pka3WAsXt66JF13CtKQwhX"
    "lOG4YuQXS+G+EINK+J0/jew3rgeTry0A+P6Ixpndg4s6Tw1bfawHJSBCDbP3dju4S7oLEgjBV8CGD17shbuT6GRPw50R3rDP"
    "+GZcqcc34WivkYyIae1KZoV0ggPLuOSbySOYlgTCuUTM0+DHq9p3LiMkMpzDV59o/RwjIaOlCDldYfdor0sciBnXWooZLQW7"
    "QzHruEk4Z+UgyJ8D+HAGBkvsH1a1dOI9G3rEAFcULSlaXFFoKVrHEnOh0rmQ22ktTAa6dj7Z9pG8kFi9VZtQQHRCvEJcXtmV"
    "ce3YnGstjKvohHiFdcJnATgbh0x44YR2noJO7YQ+xlN76r3v5cXUWn3v5M1nWhf7SfXe1E6mDJiTvbN/dzAnzeUPWgC7LdB/"
    "Cd4C2Du9d/IjYy5/0GJXJ2nw3N8Yz61GP5y6WhnPrUYvnr1aOYZlsj94HXPpyUp06Za6u7GcbL378e8AiNa7v7gF0TpvPHse"
    "oKXhZiO+QPTn6NLX4I1nz6NVL/aTATc7f85celK52flz0aXH1Vc3Ml77Pxqli//slXzn4YhpYbFYLBaLxWKxWCwWi8ViORL/"
    "Bp9ShWuH6SCpAAAAAElFTkSuQmCC"
)

EXAMPLE_REQUEST = {"file": EXAMPLE_PNG_BASE64, "fileType": 1, "visualize": False}


def _example_page(*blocks: tuple[str, str, list[int]]) -> dict[str, object]:
    return {
        "prunedResult": {
            "width": 1190,
            "height": 1684,
            "model_settings": {"use_layout_detection": True, "markdown_ignore_labels": ["header", "footer"]},
            "parsing_res_list": [
                {"block_label": label, "block_content": content, "block_bbox": bbox}
                for label, content, bbox in blocks
            ],
        }
    }


# Two pages with a table that runs on; joined, it is one.
EXAMPLE_PAGES = {
    "pages": [
        _example_page(
            ("doc_title", "Harvest", [300, 90, 890, 150]),
            ("paragraph_title", "1 Yields", [120, 200, 400, 240]),
            (
                "table",
                "<table><tr><td>year</td><td>tons</td></tr><tr><td>2023</td><td>41</td></tr></table>",
                [120, 1200, 1070, 1600],
            ),
        ),
        _example_page(
            (
                "table",
                "<table><tr><td>year</td><td>tons</td></tr><tr><td>2024</td><td>44</td></tr></table>",
                [120, 90, 1070, 300],
            ),
            ("text", "Rain came late.", [120, 340, 1070, 400]),
        ),
    ],
    "concatenatePages": True,
}
