"""Class means, whitening and the regression from texts, against what others make of them."""

import pytest
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge

from msf_kedro.methods.contract.prototypes import class_means, dual_weights, principal, whitening


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_means_are_those_of_each_class(numbers):
    values, labels = numbers(7, 3), torch.tensor([0, 2, 2, 0, 0, 2, 2])
    found = class_means(values, labels, 3)
    torch.testing.assert_close(found[2], values[labels == 2].mean(0))
    torch.testing.assert_close(found[1], values.mean(0))  # it has no clip


def test_whitening_makes_the_spread_within_classes_equal(numbers):
    values = numbers(400, 4) @ numbers(4, 4)
    labels = torch.arange(400) % 5
    means = class_means(values, labels, 5)
    axes = whitening(values, labels, means, 0.0)
    within = (values - means[labels]) @ axes
    torch.testing.assert_close(within.mT @ within / 400, torch.eye(4).double())
    shrunk = whitening(values, labels, means, 1.0)  # equal spread is assumed: nothing is turned
    square = shrunk @ shrunk.mT
    torch.testing.assert_close(square, torch.eye(4).double() * square[0, 0])


def test_whitening_of_features_that_do_not_spread_is_finite():
    values = torch.ones(6, 3).double()
    means = class_means(values, torch.arange(6) % 2, 2)
    assert whitening(values, torch.arange(6) % 2, means, 0.5).isfinite().all()


def test_weights_are_those_of_kernel_ridge_regression(numbers):
    seen, means, new = F.normalize(numbers(9, 20), dim=-1), numbers(9, 4), numbers(3, 20)
    mean_eigenvalue = (seen @ seen.mT).diagonal().mean().item()
    model = KernelRidge(alpha=0.7 * mean_eigenvalue, kernel="linear")
    expected = model.fit(seen.numpy(), means.numpy()).predict(new.numpy())
    found = new @ seen.mT @ dual_weights(seen, means, 0.7)
    torch.testing.assert_close(found, torch.from_numpy(expected))


def test_principal_axes_are_those_of_standardised_values(numbers):
    values = numbers(50, 6) * torch.tensor([1, 5, 0.1, 2, 3, 1]).double()
    values[:, 5] = 4.0  # never moves
    mean, axes = principal(values, 3)
    scaled = (values - mean)[:, :5] / values[:, :5].std(0, correction=0)
    expected = torch.from_numpy(PCA(3, svd_solver="full").fit_transform(scaled.numpy()))
    found = (values - mean) @ axes
    torch.testing.assert_close(found.abs(), expected.abs())
    assert not axes[5].any()


def test_there_are_no_more_principal_axes_than_values_spread_along(numbers):
    values = numbers(4, 6)
    mean, axes = principal(values, 5)
    assert axes.shape == (6, 3)  # four points
    torch.testing.assert_close(
        torch.pdist((values - mean) @ axes), torch.pdist(values / values.std(0, correction=0))
    )
