"""The readerships that are checked if there is no list."""

from newsletter.model.axes import Axis, Cases, judged_readerships


def axis(name: str, values: str, *, plainest: str, fullest: str) -> Axis:
    return Axis(
        name=name,
        values=tuple(values),
        plainest=plainest,
        fullest=fullest,
        value_of=lambda _reader, _before: plainest,
        rule=Cases((), otherwise=plainest),
    )


AXES = (axis("a", "01", plainest="0", fullest="1"), axis("b", "xyz", plainest="z", fullest="y"))


def judged(*axes: Axis) -> list[dict[str, str]]:
    return [dict(readership.values) for readership in judged_readerships(axes)]


def test_fullest_each_single_value_and_plainest_are_judged_each_once() -> None:
    assert judged(*AXES) == [
        {"a": "1", "b": "y"},  # the fullest
        {"a": "0", "b": "y"},
        {"a": "1", "b": "x"},
        {"a": "1", "b": "z"},
        {"a": "0", "b": "z"},  # the plainest
    ]


def test_issue_that_is_alike_for_all_is_judged_once() -> None:
    assert judged() == [{}]
    assert judged(axis("a", "1", plainest="1", fullest="1")) == [{"a": "1"}]


def test_number_judged_grows_by_the_values_and_not_by_their_combinations() -> None:
    many = [axis(f"only:{number}", "01", plainest="0", fullest="1") for number in range(40)]

    assert len(judged_readerships(many)) == 42
